/** Row-major. */
export type Matrix = readonly (readonly number[])[];
/** Transforms of Winograd F(m, 3) (Lavin & Gray 2016, §4), m = 2 with points 0, ±1 and m = 4 with points 0, ±1, ±2. */
export declare const WINOGRAD: Readonly<Record<2 | 4, {
    readonly inputTransform: Matrix;
    readonly filterTransform: Matrix;
    readonly outputTransform: Matrix;
}>>;
//# sourceMappingURL=winograd-matrices.d.ts.map