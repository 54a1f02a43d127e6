import type { Executable, Graph } from '@bpc/compiler';
import type { OrtModule, OrtSessionOptions } from './ort.js';
/**
 * Lowers a program and makes one session for it.
 *
 * Inputs are read in place (Float64Arrays are rounded to float32 first); every run writes into new arrays, which the
 * caller owns. `dispose` waits for a running call.
 */
export declare function createExecutable(graph: Graph, ort: OrtModule, targetName: string, options: OrtSessionOptions): Promise<Executable>;
//# sourceMappingURL=session.d.ts.map