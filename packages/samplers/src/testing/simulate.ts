import { jsRuntime } from '@bpc/compiler';
import { type Algorithm, disposeTree, foldIn, type Key, type Runtime, scan, type Tree, treeLeaves } from '@bpc/core';
import { concat, reshape } from '@tensorflow/tfjs-core';

/** Options of `simulate`. */
export interface SimulateOptions<P extends Tree, State extends Tree> {
  /** Where the chain starts. Borrowed. */
  readonly position: P;
  readonly key: Key;
  /** Kept draws. */
  readonly draws: number;
  /** Steps per kept draw, 1 by default. */
  readonly thin?: number;
  /** Draws, of `thin` steps each, that are made first and dropped. Default 0. */
  readonly warmup?: number;
  /** What to keep of a state: its position by default. */
  readonly record?: (state: State) => Tree;
  /** What every step gets as `data`. Borrowed. */
  readonly data?: Tree;
  /** Where to compile; a js runtime of its own by default. */
  readonly runtime?: Runtime;
}

type WithPosition<P extends Tree> = { readonly position: P };

/** Draws per call of the compiled program: a multiple of them costs one more compilation at most. */
const BLOCK = 1000;

/**
 * Runs a chain in compiled blocks of steps, quickly, for tests of its law.
 *
 * @returns one array of draws per number of what is kept, leaves in canonical order, each in C order. A position whose first
 * axis counts independent chains gives all of theirs.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { mul, square, sum, type Tensor, zeros } from '@tensorflow/tfjs-core';
 * import { key, ula } from '@bpc/samplers';
 * import { simulate } from '@bpc/samplers/testing';
 * const chain = ula({ logDensity: (x: Tensor) => mul(sum(square(x)), -0.5), stepSize: 0.1 });
 * const [first] = await simulate(chain, { position: zeros([100]) as Tensor, key: key(0), draws: 50, thin: 10 });
 * ```
 */
export async function simulate<P extends Tree, State extends Tree & WithPosition<P>, Info extends Tree>(
  algorithm: Algorithm<P, State, Info>,
  { position, key, draws, thin = 1, warmup = 0, record = (state) => state.position, data, runtime }: SimulateOptions<P, State>,
): Promise<Float64Array[]> {
  const where = runtime ?? jsRuntime();
  const block = (length: number) => (k: Key, state: State, given: Tree) => {
    const one = (current: State, { key: own }: { readonly key: Key }) => {
      const [next] = scan((each: State, inner) => [algorithm.step(inner.key, each, given)[0]] as const, current, undefined, {
        length: thin,
        key: own,
      });
      return [next, concat(treeLeaves(record(next)).map((leaf) => reshape(leaf, [leaf.size])))] as const;
    };
    const [end, rows] = scan(one, state, undefined, { length, key: k });
    return { end, rows };
  };
  const columns: Float64Array[] = [];
  const total = warmup + draws;
  const compile = (length: number) => where.compile(block(length));
  const programs = new Map<number, ReturnType<typeof compile>>();
  let state = algorithm.init(position, foldIn(key, 0), data);
  try {
    for (let done = 0; done < total; ) {
      const length = Math.min(BLOCK, total - done);
      const program = programs.get(length) ?? compile(length);
      programs.set(length, program);
      const { end, rows } = await program(foldIn(foldIn(key, 1), done), state, data ?? []);
      const values = await rows.data();
      const width = rows.size / length;
      while (columns.length < width) columns.push(new Float64Array(draws));
      for (let i = Math.max(0, warmup - done); i < length; i++) {
        columns.forEach((column, j) => {
          column[done + i - warmup] = values[i * width + j] ?? Number.NaN;
        });
      }
      disposeTree([state, rows]);
      state = end;
      done += length;
    }
  } finally {
    disposeTree(state);
    for (const program of programs.values()) await program.dispose();
    if (runtime === undefined) await where.dispose();
  }
  return columns;
}
