import type { KernelProgram } from './kernel-program.js';

/** Kernel programs by signature; the one not used for longest is retired when there are too many. */
export interface ProgramCache {
  get(signature: string, make: () => KernelProgram): KernelProgram;
  readonly size: number;
  clear(): void;
}

export function programCache(capacity: number): ProgramCache {
  // A Map keeps insertion order; a used program is inserted anew.
  const programs = new Map<string, KernelProgram>();
  return {
    get(signature, make) {
      const program = programs.get(signature) ?? make();
      programs.delete(signature);
      programs.set(signature, program);
      for (const [oldest, retired] of programs) {
        if (programs.size <= capacity) break;
        programs.delete(oldest);
        retired.retire();
      }
      return program;
    },
    get size() {
      return programs.size;
    },
    clear() {
      for (const program of programs.values()) program.retire();
      programs.clear();
    },
  };
}

// JSON has no NaN, infinities, negative zero or typed arrays, which all occur in attributes.
const exact = (_: string, value: unknown): unknown => {
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) return `#${Object.is(value, -0) ? '-0' : value}`;
  return ArrayBuffer.isView(value) ? { [value.constructor.name]: Array.from(value as unknown as ArrayLike<number>, String) } : value;
};

/** Equal for calls that can share a program. */
export function callSignature(
  kernelName: string,
  operands: readonly (readonly [name: string, shape: readonly number[], dtype: string])[],
  attributes: object,
): string {
  return `${kernelName}|${operands.map(([name, shape, dtype]) => `${name}:${dtype}[${shape}]`)}|${JSON.stringify(attributes, exact)}`;
}
