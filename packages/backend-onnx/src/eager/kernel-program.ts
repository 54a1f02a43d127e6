import type { DType, Executable, Graph, KernelGraph, Node } from '@bpc/compiler';
import type { Lowered } from '../lower/lower.js';
import type { OrtData } from '../ort.js';

/** Where an output of a kernel call comes from. */
export type OutputSource = { readonly shape: readonly number[]; readonly dtype: DType } & (
  | { readonly kind: 'view'; readonly operand: number }
  | { readonly kind: 'known'; readonly values: OrtData }
  | { readonly kind: 'computed'; readonly position: number }
);

/** One kernel for one combination of shapes, dtypes and attributes. */
export interface KernelProgram {
  readonly outputs: readonly OutputSource[];
  /** Whether the kernel gives a list of tensors in place of one. */
  readonly list: boolean;
  /** Computes the outputs of kind `computed`, in the order of their positions, once the operands are there. */
  compute(operands: Promise<readonly OrtData[]>): Promise<readonly OrtData[]>;
  /** Releases the session as soon as every call that was made is done. */
  retire(): void;
}

/** Values of a node that needs no computing: a constant, or one number everywhere. */
function knownValues(node: Node, size: number): OrtData | undefined {
  const [repeated] = node.inputs;
  const source = node.op === 'Broadcast' && repeated?.op === 'Const' ? repeated : node;
  if (size > 0 && source.op !== 'Const') return undefined;
  const numbers: ArrayLike<number> = source.op === 'Const' ? source.attributes.values : [];
  if (source !== node && numbers.length !== 1) return undefined;
  const values = node.dtype === 'float32' ? new Float32Array(size) : node.dtype === 'int32' ? new Int32Array(size) : new Uint8Array(size);
  if (source === node) values.set(numbers);
  else values.fill(numbers[0] ?? 0);
  return values;
}

/** The operand of which a node is only another view, by its position. */
function viewed(node: Node): number | undefined {
  const source = node.op === 'Reshape' ? node.inputs[0] : node;
  return source?.op === 'Input' ? source.attributes.index : undefined;
}

function planOutputs(graph: Graph): { readonly outputs: readonly OutputSource[]; readonly computed: readonly Node[] } {
  const computed: Node[] = [];
  const outputs = graph.outputs.map((node): OutputSource => {
    const { shape, dtype } = node;
    const operand = viewed(node);
    if (operand !== undefined) return { kind: 'view', operand, shape, dtype };
    const values = knownValues(
      node,
      shape.reduce((a, b) => a * b, 1),
    );
    if (values !== undefined) return { kind: 'known', values, shape, dtype };
    if (!computed.includes(node)) computed.push(node);
    return { kind: 'computed', position: computed.indexOf(node), shape, dtype };
  });
  return { outputs, computed };
}

export type KernelProgramOptions = {
  readonly call: KernelGraph;
  /** Lowers at once, so that an operation without a lowering is found where the kernel is called. */
  lower(graph: Graph): Lowered;
  /** Makes the session, at the first call that computes. */
  load(graph: Graph, lowered: Lowered): Promise<Executable>;
};

/** @throws MissingKernelError if the graph has an operation without a lowering. */
export function kernelProgram({ call: { graph, list }, lower, load }: KernelProgramOptions): KernelProgram {
  const { outputs, computed } = planOutputs(graph);
  const computing: Graph = { ...graph, outputs: computed };
  const lowered = computed.length > 0 ? lower(computing) : undefined;
  let session: Promise<Executable> | undefined;
  let calls = 0;
  let retired = false;
  const release = () => {
    const released = session;
    session = undefined;
    // A session that could not be made has nothing to release; its error was reported to its callers.
    void released?.then((executable) => executable.dispose()).catch(() => undefined);
  };
  return {
    outputs,
    list,
    async compute(operands) {
      if (lowered === undefined) return [];
      calls++;
      try {
        const values = await operands;
        session ??= load(computing, lowered);
        const executable = await session;
        return (await executable.run(values)) as readonly OrtData[];
      } finally {
        if (--calls === 0 && retired) release();
      }
    },
    retire() {
      retired = true;
      if (calls === 0) release();
    },
  };
}
