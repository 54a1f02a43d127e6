import { ConfigError } from '@bpc/core';
import type { Generated } from '../generated.js';
import { printProgram } from '../print.js';
import type { LoopProgram } from '../program.js';
import { type Emitted, emit } from './emit.js';
import { instantiate } from './instance.js';
import type { LaneName } from './vectors.js';

export type WasmOptions = {
  /** Two float64 or four float32 numbers per instruction. */
  readonly lanes: LaneName;
  /**
   * Relaxed fused multiply-add: faster, but machines may differ in the last digit. Default false.
   */
  readonly fma?: boolean;
};

/** A program as a WebAssembly module that is ready to run. */
export interface GeneratedWasm extends Generated {
  /** The module, to save or to look at. It imports its memory. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  bind(inputs: readonly (Float64Array | undefined)[]): void;
}

/**
 * A program as a WebAssembly module, compiled now.
 *
 * Browsers may refuse large modules on the main thread: use `generateWasmAsync` there.
 *
 * @throws ConfigError if the engine cannot run the module, for want of SIMD or of relaxed SIMD.
 */
export function generateWasm(program: LoopProgram, options: WasmOptions): GeneratedWasm {
  const emitted = validated(program, options);
  return generated(program, options, emitted, new WebAssembly.Module(emitted.bytes));
}

/** The same, compiled off the calling thread. */
export async function generateWasmAsync(program: LoopProgram, options: WasmOptions): Promise<GeneratedWasm> {
  const emitted = validated(program, options);
  return generated(program, options, emitted, await WebAssembly.compile(emitted.bytes));
}

function validated(program: LoopProgram, { lanes, fma = false }: WasmOptions): Emitted {
  const emitted = emit(program, { lanes, fma });
  if (!WebAssembly.validate(emitted.bytes)) {
    throw new ConfigError(
      `this JavaScript engine cannot run WebAssembly SIMD${fma ? ' with fused multiply-add' : ''}`,
      fma ? 'leave fma out, or use an engine with relaxed SIMD' : "use the 'javascript' or 'interpreter' printer",
    );
  }
  return emitted;
}

function generated(program: LoopProgram, { lanes, fma }: WasmOptions, emitted: Emitted, module: WebAssembly.Module): GeneratedWasm {
  const { bytes, memoryBytes } = emitted;
  return {
    ...instantiate(module, emitted, program),
    bytes,
    get source() {
      const head = `;; WebAssembly ${lanes}${fma ? ' with fma' : ''}: ${bytes.length} bytes, ${memoryBytes} bytes of memory. As JavaScript:`;
      return [head, ...printProgram(program).statements.map(({ text }) => text)].join('\n');
    },
  };
}
