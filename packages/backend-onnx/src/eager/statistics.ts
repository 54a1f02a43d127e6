/** How often each kernel was called, by how it ran. */
export interface OnnxBackendStatistics {
  /** Calls that ran on ONNX Runtime, or needed no computing (reshapes, constants). */
  readonly lowered: Readonly<Record<string, number>>;
  /** Calls that ran on the fallback backend. */
  readonly fallback: Readonly<Record<string, number>>;
  /**
   * Of the fallback's calls those of kernels that do have a lowering, by the reason it did not fit: a dtype or an attribute.
   */
  readonly declined: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Sessions and plans kept now. */
  readonly programs: number;
}

/** Counts calls. */
export interface CallCounter {
  count(how: 'lowered' | 'fallback', kernelName: string): void;
  decline(kernelName: string, reason: string): void;
  read(): Omit<OnnxBackendStatistics, 'programs'>;
}

export function callCounter(): CallCounter {
  const counts = { lowered: new Map<string, number>(), fallback: new Map<string, number>() };
  const declined = new Map<string, Map<string, number>>();
  const increment = (counter: Map<string, number>, name: string) => counter.set(name, (counter.get(name) ?? 0) + 1);
  return {
    count(how, kernelName) {
      increment(counts[how], kernelName);
    },
    decline(kernelName, reason) {
      const reasons = declined.get(kernelName) ?? new Map<string, number>();
      declined.set(kernelName, reasons);
      increment(reasons, reason);
    },
    read: () => ({
      lowered: Object.fromEntries(counts.lowered),
      fallback: Object.fromEntries(counts.fallback),
      declined: Object.fromEntries([...declined].map(([kernelName, reasons]) => [kernelName, Object.fromEntries(reasons)])),
    }),
  };
}
