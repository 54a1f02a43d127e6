import { UNARY, type Unary } from '../../../ir/index.js';
import { unaryFunction } from '../../../ir/scalar-functions.js';
import { fromOperations, type Kernel } from './machine.js';

const general =
  (f: (x: number) => number): Kernel =>
  (r, n, d, a) => {
    for (let i = 0; i < n; i++) r[d + i] = f(r[a + i] as number);
  };

/** The frequent operations, a loop each: where V8 knows the operation, it needs neither a call nor a boxed number per element. */
const frequent = {
  Neg: (r, n, d, a) => {
    for (let i = 0; i < n; i++) r[d + i] = -(r[a + i] as number);
  },
  Exp: (r, n, d, a) => {
    for (let i = 0; i < n; i++) r[d + i] = Math.exp(r[a + i] as number);
  },
  Expm1: (r, n, d, a) => {
    for (let i = 0; i < n; i++) r[d + i] = Math.expm1(r[a + i] as number);
  },
  Log: (r, n, d, a) => {
    for (let i = 0; i < n; i++) r[d + i] = Math.log(r[a + i] as number);
  },
  Log1p: (r, n, d, a) => {
    for (let i = 0; i < n; i++) r[d + i] = Math.log1p(r[a + i] as number);
  },
  Relu: (r, n, d, a) => {
    for (let i = 0; i < n; i++) r[d + i] = Math.max(r[a + i] as number, 0);
  },
  Sqrt: (r, n, d, a) => {
    for (let i = 0; i < n; i++) r[d + i] = Math.sqrt(r[a + i] as number);
  },
  Tanh: (r, n, d, a) => {
    for (let i = 0; i < n; i++) r[d + i] = Math.tanh(r[a + i] as number);
  },
  Abs: (r, n, d, a) => {
    for (let i = 0; i < n; i++) r[d + i] = Math.abs(r[a + i] as number);
  },
  Sign: (r, n, d, a) => {
    for (let i = 0; i < n; i++) {
      const x = r[a + i] as number;
      r[d + i] = x > 0 ? 1 : x < 0 ? -1 : 0;
    }
  },
  Step: (r, n, d, a) => {
    for (let i = 0; i < n; i++) r[d + i] = (r[a + i] as number) > 0 ? 1 : 0;
  },
  Sin: (r, n, d, a) => {
    for (let i = 0; i < n; i++) r[d + i] = Math.sin(r[a + i] as number);
  },
  Cos: (r, n, d, a) => {
    for (let i = 0; i < n; i++) r[d + i] = Math.cos(r[a + i] as number);
  },
  Truncate: (r, n, d, a) => {
    for (let i = 0; i < n; i++) r[d + i] = Math.trunc(r[a + i] as number);
  },
  Positive: (r, n, d, a) => {
    for (let i = 0; i < n; i++) {
      const x = r[a + i] as number;
      r[d + i] = x < -8e307 ? 0 : 0.5 * (x + Math.abs(x));
    }
  },
} satisfies Partial<Record<Unary | 'Truncate' | 'Positive', Kernel>>;

/** Operations on one number. `Truncate` and `Positive` are those of the loop program. */
export const unaryKernels: Readonly<Record<Unary | 'Truncate' | 'Positive', Kernel>> = {
  ...fromOperations(UNARY, (op) => general(unaryFunction[op])),
  ...frequent,
};
