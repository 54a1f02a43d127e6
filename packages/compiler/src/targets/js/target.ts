import { ConfigError } from '@bpc/core';
import { type Executable, type Graph, type Target, topologicalOrder } from '../../ir/index.js';
import { boundaryArray } from '../../runtime/outputs.js';
import type { Generated } from './generated.js';
import { lowerGraph } from './lower.js';
import { choosePrinter, type Permissions, type Printer, permissions, print, printAsync, requirePrinter } from './printers.js';
import type { LoopProgram } from './program.js';
import { loopsOf, type ScanGeometry } from './scan.js';

export type JsTargetOptions = {
  /**
   * How programs run: generated JavaScript, WebAssembly SIMD, or an interpreter that generates no code. `'auto'` (the
   * default) takes WebAssembly for programs with long loops, else JavaScript, and what is left where a
   * Content-Security-Policy forbids one of them.
   */
  readonly printer?: 'auto' | Printer;
  /**
   * `'float32'` computes long loops with four float32 numbers per instruction: about twice as fast, with errors of about
   * 1e-4 in long sums. For optimisers and stochastic-gradient samplers, not for accept steps. Needs WebAssembly.
   */
  readonly precision?: 'float64' | 'float32';
  /** Called with the text of every program, to look at it. */
  readonly onSource?: (source: string, name: string, printer: Printer) => void;
};

/** An executable with the printer that made it and the text of what it runs, for inspection. */
export interface JsExecutable extends Executable {
  readonly source: string;
  readonly printer: Printer;
  runSync(inputs: readonly Float64Array[], outputs: readonly Float64Array[]): void;
}

function decide(program: LoopProgram, { printer = 'auto', precision }: JsTargetOptions, allowed: Permissions): Printer {
  if (precision === 'float32') return 'wasm';
  return printer === 'auto' ? choosePrinter(program, allowed) : printer;
}

type Made = {
  readonly program: LoopProgram;
  readonly printer: Printer;
  readonly generated: Generated;
  readonly loops: readonly ScanGeometry[];
};

function adopt(loop: ScanGeometry, { generated, loops }: Made): void {
  loop.body = generated;
  loop.inner = loops;
}

/** The bodies of loops are made first: the program calls them. Each gets the printer that suits it. */
function make(graph: Graph, options: JsTargetOptions, allowed: Permissions): Made {
  const program = lowerGraph(graph);
  const loops = loopsOf(program);
  for (const loop of loops) adopt(loop, make(loop.graph, options, allowed));
  const printer = decide(program, options, allowed);
  return { program, printer, generated: print(printer, program, options.precision ?? 'float64'), loops };
}

async function makeAsync(graph: Graph, options: JsTargetOptions, allowed: Permissions): Promise<Made> {
  const program = lowerGraph(graph);
  const loops = loopsOf(program);
  for (const loop of loops) adopt(loop, await makeAsync(loop.graph, options, allowed));
  const printer = decide(program, options, allowed);
  const generated = await printAsync(printer, program, options.precision ?? 'float64');
  options.onSource?.(generated.source, graph.name, printer);
  return { program, printer, generated, loops };
}

/** Compiles a graph now, on the calling thread. */
export const compileToJs = (graph: Graph, options: JsTargetOptions = {}): JsExecutable =>
  executable(graph, make(graph, options, permissions()));

function executable(graph: Graph, { program, printer, generated: { run, source, bind } }: Made): JsExecutable {
  const needed = new Set(topologicalOrder(graph.outputs));
  const scratch = program.inputSizes.map((size, i) => {
    const input = graph.inputs[i];
    return new Float64Array(input && needed.has(input) ? size : 0);
  });
  const results = program.outputs.map(({ size }) => new Float64Array(size));
  return {
    source,
    printer,
    ...(bind ? { bind } : {}),
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
 * The target that computes on the host, in float64, in the calling thread: nothing to install, in Node and in browsers.
 *
 * Runs everywhere: what a Content-Security-Policy forbids (`new Function` without `'unsafe-eval'`, WebAssembly without
 * `'wasm-unsafe-eval'`) is left out of the choice. `describe()` says what the choice was between; results are reproducible
 * bit for bit as long as that stays the same.
 *
 * @throws ConfigError if the printer that is asked for cannot run here. From `lower`: MissingKernelError if an operation
 * has no lowering.
 */
export function jsTarget(options: JsTargetOptions = {}): Target {
  const { printer = 'auto', precision = 'float64' } = options;
  const allowed = permissions();
  if (precision === 'float32' && (printer === 'javascript' || printer === 'interpreter')) {
    throw new ConfigError(
      `precision is 'float32' with printer '${printer}', which computes in float64`,
      "leave precision out, or use printer: 'wasm'",
    );
  }
  if (precision === 'float32') requirePrinter('wasm', allowed);
  else if (printer !== 'auto') requirePrinter(printer, allowed);
  return {
    name: 'js',
    lower: async (graph) => executable(graph, await makeAsync(graph, options, allowed)),
    describe: () => ({
      runtime: 'js',
      printer: precision === 'float32' ? 'wasm' : printer,
      ...(printer === 'auto' && precision === 'float64' ? { printers: choices(allowed) } : {}),
      precision,
      threads: 1,
    }),
    async dispose() {},
  };
}

/** What 'auto' chooses from here, best first for long loops. */
function choices({ wasm, javascript }: Permissions): string {
  const found = [wasm ? 'wasm' : '', javascript ? 'javascript' : ''].filter((name) => name !== '');
  return found.length > 0 ? found.join(', ') : 'interpreter';
}
