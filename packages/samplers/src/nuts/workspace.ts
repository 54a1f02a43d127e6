/**
 * The memory of a trajectory: phase-space points in slots, and rows for sums of momenta, in one flat array.
 *
 * Points are never copied: the leapfrog reads one slot and writes another, and subtrees name their ends and their
 * proposal by slot. A slot holds position, whitened momentum and gradient of the log density, `size` numbers each.
 */
export interface Workspace {
  readonly size: number;
  /** Number of slots. */
  readonly slots: number;
  /** All slots, then all rows. */
  readonly values: Float64Array;
  /** Views of the slots' positions and gradients, made once: a density takes whole arrays. */
  readonly positions: readonly Float64Array[];
  readonly gradients: readonly Float64Array[];
  /** Log density in nats, by slot. */
  readonly logDensities: Float64Array;
  /** H = ½‖r‖² − logDensity / temperature, by slot. */
  readonly energies: Float64Array;
}

/** Makes room for `slots` points of `size` parameters, and `rows` further vectors. */
export function makeWorkspace(size: number, slots: number, rows: number): Workspace {
  const values = new Float64Array((3 * slots + rows) * size);
  const views = (part: number) =>
    Array.from({ length: slots }, (_, slot) => values.subarray((3 * slot + part) * size, (3 * slot + part + 1) * size));
  return {
    size,
    slots,
    values,
    positions: views(0),
    gradients: views(2),
    logDensities: new Float64Array(slots),
    energies: new Float64Array(slots),
  };
}

/** Where the whitened momentum of a slot starts. */
export const momentumOf = ({ size }: Workspace, slot: number): number => (3 * slot + 1) * size;

/** Where a row starts. */
export const rowOf = ({ size, slots }: Workspace, row: number): number => (3 * slots + row) * size;

/** Copies position, gradient and log density of another place into a slot. */
export function fillSlot(workspace: Workspace, slot: number, position: Float64Array, gradient: Float64Array, logDensity: number): void {
  const { size, values, logDensities } = workspace;
  const start = 3 * slot * size;
  // TypedArray.prototype.set costs about 50 ns, more than this loop at the sizes where it matters.
  for (let i = 0; i < size; i++) {
    values[start + i] = position[i] as number;
    values[start + 2 * size + i] = gradient[i] as number;
  }
  logDensities[slot] = logDensity;
}
