import type { Fused, Generated } from '../generated.js';
import { kernels } from '../kernels/index.js';
import type { Call, LoopProgram, Storage } from '../program.js';
import type { Emitted } from './emit.js';
import type { Placement } from './memory-map.js';

type View = Float64Array | Float32Array;

const PAGE = 65536;
/** Below this, a loop copies faster than `TypedArray.set`, which costs some 50 ns. */
const SHORT = 64;

function copy(target: View | Float64Array, source: ArrayLike<number>): void {
  if (target.length > SHORT) target.set(source);
  else for (let i = 0; i < target.length; i++) target[i] = source[i] as number;
}

/** Copies row-major values into the layout of their placement. */
function copyIn({ columns }: Placement, target: View, source: ArrayLike<number>): void {
  if (!columns) {
    copy(target, source);
    return;
  }
  const { count, rows, pitch } = columns;
  for (let row = 0, at = 0; row < rows; row++) for (let c = 0; c < count; c++) target[c * pitch + row] = source[at++] as number;
}

/** What a compiled module needs to run: memory with constants in it, and functions of the host. */
export function instantiate(module: WebAssembly.Module, emitted: Emitted, program: LoopProgram): Required<Pick<Generated, 'run' | 'bind'>> {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(emitted.memoryBytes / PAGE) });
  const viewOf = ({ elementBytes, length, region: { offset } }: Placement): View =>
    elementBytes === 8 ? new Float64Array(memory.buffer, offset, length) : new Float32Array(memory.buffer, offset, length);
  const imports: Record<string, WebAssembly.ImportValue> = { memory };
  for (const { name, call } of emitted.functions.imports) imports[name] = call;
  const whole = (storage: Storage): Float64Array => {
    const placement = emitted.placements.get(storage);
    const view = placement && viewOf(placement);
    if (!(view instanceof Float64Array)) throw new Error('a kernel needs float64 arrays');
    return view;
  };
  for (const [name, call] of emitted.calls) imports[name] = kernelCall(call, whole);
  const { run: go } = new WebAssembly.Instance(module, { host: imports }).exports;
  if (typeof go !== 'function') throw new Error('the module exports no function');

  const inputs: { readonly position: number; readonly placement: Placement; readonly view: View }[] = [];
  const outputs: { readonly position: number; readonly view: View }[] = [];
  for (const [storage, placement] of emitted.placements) {
    const { kind, position = 0, fill, values } = storage;
    const view = viewOf(placement);
    if (kind === 'constant' && values) copyIn(placement, view, values);
    if (fill !== undefined) view.fill(fill);
    if (kind === 'input') inputs.push({ position, placement, view });
    if (kind === 'output') outputs.push({ position, view });
  }
  program.outputs.forEach(({ size, copy: source }, position) => {
    const region = emitted.outputs[position];
    const placement = source && emitted.placements.get(source);
    if (region) outputs.push({ position, view: new Float64Array(memory.buffer, region.offset, size) });
    if (placement) outputs.push({ position, view: viewOf(placement) });
  });

  let changing = inputs;
  const run: Fused = (given, results) => {
    for (const { position, placement, view } of changing) copyIn(placement, view, given[position] as Float64Array);
    go();
    for (const { position, view } of outputs) copy(results[position] as Float64Array, view);
  };
  return {
    run,
    bind(given) {
      for (const { position, placement, view } of inputs) {
        const values = given[position];
        if (values) copyIn(placement, view, values);
      }
      changing = changing.filter(({ position }) => given[position] === undefined);
    },
  };
}

/** A kernel on whole arrays, as views of the memory that never grows. */
function kernelCall({ kernel, geometry, output, inputs }: Call, whole: (storage: Storage) => Float64Array): () => void {
  const run: unknown = Reflect.get(kernels, kernel);
  if (typeof run !== 'function') throw new Error(`no kernel ${kernel}`);
  const [target, sources] = [whole(output), inputs.map(whole)];
  return () => {
    run(geometry, target, ...sources);
  };
}
