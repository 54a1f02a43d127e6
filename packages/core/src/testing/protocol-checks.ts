/** One value of a state, wherever it is kept. */
export interface StateLeaf {
  readonly path: string;
  /** What two values must not share: a tensor's id, an array's buffer. Undefined for what cannot be shared. */
  readonly storage: unknown;
  /** Kind and shape, comparable as text. */
  readonly shape: string;
  readonly values: ArrayLike<unknown>;
}

/** Throws unless a claim about an algorithm holds. */
export function demand(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

const print = (value: unknown): string => (Object.is(value, -0) ? '-0' : String(value));

/** Paths and values, comparable as text: NaN equals NaN, and −0 differs from 0. */
export const printLeaves = (leaves: readonly StateLeaf[]): string =>
  leaves.map(({ path, values }) => `${path}: ${Array.from(values, print).join()}`).join('\n');

/** Throws if what was made shares memory with what was given, or with itself. */
export function demandFreshLeaves(what: string, made: readonly StateLeaf[], given: readonly StateLeaf[]): void {
  const seen = new Set(given.map(({ storage }) => storage));
  for (const { path, storage } of made) {
    if (storage === undefined) continue;
    demand(!seen.has(storage), `${what} has at '${path}' memory that occurs elsewhere, expected its own`);
    seen.add(storage);
  }
}

/** Throws unless two states have the same parts. */
export function demandSameStructure(what: string, made: readonly StateLeaf[], like: readonly StateLeaf[]): void {
  const parts = (leaves: readonly StateLeaf[]) => leaves.map(({ path, shape }) => `${path} ${shape}`).join(', ');
  demand(parts(made) === parts(like), `${what} has the parts ${parts(made)}, expected ${parts(like)}`);
}

/** Throws unless steps from one state with keys a, b, a give equal results for equal keys only. */
export function demandKeyed([first, other, again]: readonly (readonly StateLeaf[])[], random: boolean): void {
  const text = (leaves: readonly StateLeaf[] = []) => printLeaves(leaves);
  demand(text(first) === text(again), 'two steps from the same state with the same key differ');
  demand(!random || text(first) !== text(other), 'two steps with different keys are equal');
}
