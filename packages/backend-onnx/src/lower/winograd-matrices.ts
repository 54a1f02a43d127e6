/** Row-major. */
export type Matrix = readonly (readonly number[])[];

/** Transforms of Winograd F(m, 3) (Lavin & Gray 2016, §4), m = 2 with points 0, ±1 and m = 4 with points 0, ±1, ±2. */
export const WINOGRAD: Readonly<
  Record<2 | 4, { readonly inputTransform: Matrix; readonly filterTransform: Matrix; readonly outputTransform: Matrix }>
> = {
  2: {
    inputTransform: [
      [1, 0, -1, 0],
      [0, 1, 1, 0],
      [0, -1, 1, 0],
      [0, 1, 0, -1],
    ],
    filterTransform: [
      [1, 0, 0],
      [1 / 2, 1 / 2, 1 / 2],
      [1 / 2, -1 / 2, 1 / 2],
      [0, 0, 1],
    ],
    outputTransform: [
      [1, 1, 1, 0],
      [0, 1, -1, -1],
    ],
  },
  4: {
    inputTransform: [
      [4, 0, -5, 0, 1, 0],
      [0, -4, -4, 1, 1, 0],
      [0, 4, -4, -1, 1, 0],
      [0, -2, -1, 2, 1, 0],
      [0, 2, -1, -2, 1, 0],
      [0, 4, 0, -5, 0, 1],
    ],
    filterTransform: [
      [1 / 4, 0, 0],
      [-1 / 6, -1 / 6, -1 / 6],
      [-1 / 6, 1 / 6, -1 / 6],
      [1 / 24, 1 / 12, 1 / 6],
      [1 / 24, -1 / 12, 1 / 6],
      [0, 0, 1],
    ],
    outputTransform: [
      [1, 1, 1, 1, 1, 0],
      [0, 1, -1, 2, -2, 0],
      [0, 1, 1, 4, 4, 0],
      [0, 1, -1, 8, -8, 1],
    ],
  },
};
