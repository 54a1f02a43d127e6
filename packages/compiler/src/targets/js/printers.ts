import { ConfigError } from '@bpc/core';
import { generate } from './assemble.js';
import type { Generated } from './generated.js';
import { interpret } from './interpreter/index.js';
import type { LoopProgram } from './program.js';
import { generateWasm, generateWasmAsync } from './wasm/index.js';

/** What turns a loop program into something that runs. */
export type Printer = 'javascript' | 'wasm' | 'interpreter';

/** What the environment lets a program do: a Content-Security-Policy or a flag of Node may forbid either. */
export interface Permissions {
  /** `new Function` works. */
  readonly javascript: boolean;
  /** WebAssembly exists, has SIMD, and may be compiled. */
  readonly wasm: boolean;
}

// (module (func (drop (v128.const i64x2 0 0)))): valid only where SIMD is.
const SIMD_MODULE = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 23, 1, 21, 0, 253, 12],
  ...new Array<number>(16).fill(0),
  ...[26, 11],
);

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}

/** Tries what is allowed here, each thing when it is first asked for: a page may report what a policy refuses. */
export function permissions(): Permissions {
  let javascript: boolean | undefined;
  let wasm: boolean | undefined;
  return {
    get javascript() {
      javascript ??= succeeds(() => new Function('return 0'));
      return javascript;
    },
    get wasm() {
      wasm ??= typeof WebAssembly === 'object' && succeeds(() => new WebAssembly.Module(SIMD_MODULE));
      return wasm;
    },
  };
}

/**
 * Longest loop of programs for JavaScript. Timed on regressions of 26 to 256 rows: WebAssembly breaks even at 26 rows of one
 * multiplication each (every call costs it a copy of what changes) and takes 0.4 to 0.8 of the time from 32 rows on.
 */
export const LONG_FOR_WASM = 31;

/** WebAssembly addresses 4 GiB; programs near that stay with arrays of their own. */
const WASM_BYTES = 2 ** 31;

const longestLoop = ({ items }: LoopProgram): number =>
  Math.max(0, ...items.map((each) => (each.kind === 'loop' ? each.extents.reduce((a, b) => a * b, 1) : 0)));

/**
 * The printer for a program: WebAssembly for long loops, else JavaScript, and what is left where one of them is forbidden.
 *
 * A function of the program and the permissions alone, so that a program always gets the same one.
 */
export function choosePrinter(program: LoopProgram, allowed: Permissions): Printer {
  const fits = program.storages.reduce((sum, { size }) => sum + 8 * size, 0) <= WASM_BYTES;
  if (longestLoop(program) > LONG_FOR_WASM && fits && allowed.wasm) return 'wasm';
  if (allowed.javascript) return 'javascript';
  return fits && allowed.wasm ? 'wasm' : 'interpreter';
}

/**
 * Refuses a printer that cannot run here.
 *
 * @throws ConfigError with a remedy.
 */
export function requirePrinter(printer: Printer, allowed: Permissions): void {
  if (printer === 'javascript' && !allowed.javascript) {
    throw new ConfigError(
      "the printer 'javascript' may not compile code here: the page's Content-Security-Policy has no 'unsafe-eval', or Node forbids it",
      "allow it, or use printer: 'auto', which takes 'wasm' or 'interpreter' then",
    );
  }
  if (printer === 'wasm' && !allowed.wasm) {
    throw new ConfigError(
      "the printer 'wasm' cannot run here: there is no WebAssembly with SIMD, or the page's Content-Security-Policy has no 'wasm-unsafe-eval'",
      "allow it, or use printer: 'auto', which takes 'javascript' or 'interpreter' then",
    );
  }
}

/** Numbers per SIMD instruction follow from the precision. */
const wasmOptions = (precision: 'float64' | 'float32') => ({ lanes: precision === 'float32' ? 'f32x4' : 'f64x2' }) as const;

/** A program as something that runs. */
export function print(printer: Printer, program: LoopProgram, precision: 'float64' | 'float32'): Generated {
  switch (printer) {
    case 'javascript':
      return generate(program);
    case 'wasm':
      return generateWasm(program, wasmOptions(precision));
    case 'interpreter':
      return interpret(program);
  }
}

/** The same, compiling WebAssembly off the calling thread: browsers refuse large modules on the main one. */
export const printAsync = async (printer: Printer, program: LoopProgram, precision: 'float64' | 'float32'): Promise<Generated> =>
  printer === 'wasm' ? generateWasmAsync(program, wasmOptions(precision)) : print(printer, program, precision);
