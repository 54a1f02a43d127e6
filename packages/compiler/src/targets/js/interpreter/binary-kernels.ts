import { BINARY, type Binary, COMPARE, type Compare } from '../../../ir/index.js';
import { binaryFunction, compareFunction } from '../../../ir/scalar-functions.js';
import { fromOperations, type Kernel } from './machine.js';

const general =
  (f: (x: number, y: number) => number): Kernel =>
  (r, n, d, a, b) => {
    for (let i = 0; i < n; i++) r[d + i] = f(r[a + i] as number, r[b + i] as number);
  };

/** The frequent operations, a loop each: where V8 knows the operation, it needs neither a call nor a boxed number per element. */
const frequent = {
  Add: (r, n, d, a, b) => {
    for (let i = 0; i < n; i++) r[d + i] = (r[a + i] as number) + (r[b + i] as number);
  },
  Sub: (r, n, d, a, b) => {
    for (let i = 0; i < n; i++) r[d + i] = (r[a + i] as number) - (r[b + i] as number);
  },
  Mul: (r, n, d, a, b) => {
    for (let i = 0; i < n; i++) r[d + i] = (r[a + i] as number) * (r[b + i] as number);
  },
  Div: (r, n, d, a, b) => {
    for (let i = 0; i < n; i++) r[d + i] = (r[a + i] as number) / (r[b + i] as number);
  },
  Pow: (r, n, d, a, b) => {
    for (let i = 0; i < n; i++) r[d + i] = (r[a + i] as number) ** (r[b + i] as number);
  },
  Maximum: (r, n, d, a, b) => {
    for (let i = 0; i < n; i++) r[d + i] = Math.max(r[a + i] as number, r[b + i] as number);
  },
  Minimum: (r, n, d, a, b) => {
    for (let i = 0; i < n; i++) r[d + i] = Math.min(r[a + i] as number, r[b + i] as number);
  },
  Greater: (r, n, d, a, b) => {
    for (let i = 0; i < n; i++) r[d + i] = (r[a + i] as number) > (r[b + i] as number) ? 1 : 0;
  },
  GreaterEqual: (r, n, d, a, b) => {
    for (let i = 0; i < n; i++) r[d + i] = (r[a + i] as number) >= (r[b + i] as number) ? 1 : 0;
  },
  Less: (r, n, d, a, b) => {
    for (let i = 0; i < n; i++) r[d + i] = (r[a + i] as number) < (r[b + i] as number) ? 1 : 0;
  },
  LessEqual: (r, n, d, a, b) => {
    for (let i = 0; i < n; i++) r[d + i] = (r[a + i] as number) <= (r[b + i] as number) ? 1 : 0;
  },
  Equal: (r, n, d, a, b) => {
    for (let i = 0; i < n; i++) r[d + i] = (r[a + i] as number) === (r[b + i] as number) ? 1 : 0;
  },
  NotEqual: (r, n, d, a, b) => {
    for (let i = 0; i < n; i++) r[d + i] = (r[a + i] as number) !== (r[b + i] as number) ? 1 : 0;
  },
} satisfies Partial<Record<Binary | Compare, Kernel>>;

/** Operations on two numbers; comparisons give 1 or 0. */
export const binaryKernels: Readonly<Record<Binary | Compare, Kernel>> = {
  ...fromOperations(BINARY, (op) => general(binaryFunction[op])),
  ...fromOperations(COMPARE, (op) => general(compareFunction[op])),
  ...frequent,
};
