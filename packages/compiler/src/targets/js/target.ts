import { type Executable, type Graph, type Target, topologicalOrder } from '../../ir/index.js';
import { boundaryArray } from '../../runtime/outputs.js';
import { generate } from './assemble.js';
import { lowerGraph } from './lower.js';

export type JsTargetOptions = {
  /** Called with the JavaScript of every program, to look at it. */
  readonly onSource?: (source: string, name: string) => void;
};

/** An executable with the source it runs, for inspection. */
export interface JsExecutable extends Executable {
  readonly source: string;
  runSync(inputs: readonly Float64Array[], outputs: readonly Float64Array[]): void;
}

/** Compiles a graph to JavaScript now. */
export function compileToJs(graph: Graph, options: JsTargetOptions = {}): JsExecutable {
  const program = lowerGraph(graph);
  const { run, source } = generate(program);
  options.onSource?.(source, graph.name);
  const needed = new Set(topologicalOrder(graph.outputs));
  const scratch = program.inputSizes.map((size, i) => {
    const input = graph.inputs[i];
    return new Float64Array(input && needed.has(input) ? size : 0);
  });
  const results = program.outputs.map(({ size }) => new Float64Array(size));
  return {
    source,
    runSync: (inputs, outputs) => run(inputs, outputs),
    async run(inputs) {
      const wide = inputs.map((values, i) => {
        const own = scratch[i];
        if (values instanceof Float64Array || own === undefined || own.length === 0)
          return values instanceof Float64Array ? values : new Float64Array(0);
        own.set(values);
        return own;
      });
      run(wide, results);
      return graph.outputs.map((node, i) => boundaryArray(results[i] ?? [], node.dtype));
    },
    async dispose() {},
  };
}

/**
 * The target that computes in JavaScript, in float64, in the calling thread: nothing to install, in Node and in browsers.
 *
 * Uses `new Function`, which a Content-Security-Policy without `'unsafe-eval'` forbids.
 *
 * @throws ConfigError from `lower` where JavaScript may not be compiled; MissingKernelError if an operation has no lowering.
 */
export function jsTarget(options: JsTargetOptions = {}): Target {
  return {
    name: 'js',
    lower: async (graph) => compileToJs(graph, options),
    describe: () => ({ runtime: 'js', printer: 'javascript', precision: 'float64', threads: 1 }),
    async dispose() {},
  };
}
