import { erf, floorMod, roundHalfEven } from '../../../ir/scalar-functions.js';
import { Conv, ConvFilterGrad, ConvInputGrad, MatMul } from './convolution.js';
import { Cholesky, TriangularSolve } from './linear-algebra.js';
import { Scan } from './loop.js';
import { AvgPool, AvgPoolGrad, MaxPool, MaxPoolGather, MaxPoolGrad } from './pooling.js';
import { ArgMax, CumSum } from './scan.js';
import { TopK } from './top-k.js';

/** What generated code may call, by the names it uses. */
export const kernels = {
  erf,
  floorMod,
  roundHalfEven,
  ArgMax,
  AvgPool,
  AvgPoolGrad,
  Cholesky,
  Conv,
  ConvFilterGrad,
  ConvInputGrad,
  CumSum,
  MatMul,
  MaxPool,
  MaxPoolGather,
  MaxPoolGrad,
  Scan,
  TopK,
  TriangularSolve,
} as const;
