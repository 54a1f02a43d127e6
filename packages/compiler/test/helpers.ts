import '@tensorflow/tfjs-backend-cpu';
import { jsRuntime } from '@bpc/compiler';
import { type Program, type ProgramArgument, type Tree, treeEntries } from '@bpc/core';
import { setBackend, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';

await setBackend('cpu');

/** Reproducible numbers in (−1, 1), not too regular. */
export function values(size: number, seed = 1): Float32Array {
  let state = (seed * 2654435761) >>> 0;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export const random = (shape: number[], seed = 1): Tensor =>
  tensor(
    values(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
    shape,
  );

export const PRINTERS = ['javascript', 'wasm', 'interpreter'] as const;

/** Runs `fn` eagerly on tfjs cpu and compiled by every printer, and expects the same trees. */
export async function expectSame(fn: (...args: Tensor[]) => Tree, args: Tensor[], tolerance = 2e-5): Promise<void> {
  const expected = treeEntries(fn(...args));
  for (const printer of PRINTERS) {
    const runtime = jsRuntime({ printer });
    const program = runtime.compile(fn) as unknown as Program<readonly ProgramArgument[], Tree>;
    const found = treeEntries(await program(...args));
    expect(found.map(([path, x]) => `${path} ${x.dtype}[${x.shape}]`)).toEqual(
      expected.map(([path, x]) => `${path} ${x.dtype}[${x.shape}]`),
    );
    expected.forEach(([path, want], i) => expectClose(found[i]![1].dataSync(), want.dataSync(), tolerance, `${printer} ${path}`));
    await runtime.dispose();
  }
}

export function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, name = ''): void {
  expect(found.length, name).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [found[i]!, expected[i]!];
    if (Object.is(a, b) || (Number.isNaN(a) && Number.isNaN(b))) continue;
    expect(Math.abs(a - b), `${name}[${i}]: ${a}, expected ${b}`).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(b)));
  }
}
