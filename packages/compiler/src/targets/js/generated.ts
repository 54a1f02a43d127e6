/** Runs the program; `limit` cuts every loop short, where the printer has a use for that. */
export type Fused = (inputs: readonly Float64Array[], outputs: readonly Float64Array[], limit?: number) => void;

/** What a printer makes of a program. */
export interface Generated {
  readonly run: Fused;
  /** The program as text, for people. */
  readonly source: string;
  /**
   * Keeps copies of the given inputs for all calls to come: `run` does not read their positions again. Absent where
   * nothing would be gained.
   */
  bind?(inputs: readonly (Float64Array | undefined)[]): void;
}
