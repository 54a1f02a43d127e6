import { getGradient, registerGradient } from '@tensorflow/tfjs-core';
import { binaryRules } from './gradients/binary.js';
import { convolutionRules } from './gradients/convolution.js';
import { cumulativeRules } from './gradients/cumulative.js';
import { indexingRules } from './gradients/indexing.js';
import { linearRules } from './gradients/linear.js';
import { linearAlgebraRules } from './gradients/linear-algebra.js';
import { normalizationRules } from './gradients/normalization.js';
import { poolingRules } from './gradients/pooling.js';
import { reductionRules } from './gradients/reduction.js';
import { resizeRules } from './gradients/resize.js';
import { structureRules } from './gradients/structure.js';
import { unaryRules } from './gradients/unary.js';
import { windowedViewRules } from './gradients/windowed-views.js';

const rules = () => [
  ...unaryRules,
  ...binaryRules,
  ...reductionRules,
  ...structureRules,
  ...linearRules,
  ...linearAlgebraRules,
  ...convolutionRules,
  ...poolingRules,
  ...cumulativeRules,
  ...indexingRules,
  ...normalizationRules,
  ...resizeRules,
  ...windowedViewRules,
];

/**
 * Registers gradient rules with tfjs-core that hold at any order: each saves inputs, never outputs, and is built from
 * operations that have such rules themselves.
 *
 * tfjs-core alone registers none in Node, and its own throw or are silently wrong at second order for exp, tanh, softmax
 * and others. Idempotent, and rules that another package registered meanwhile are replaced again. `valueAndGrad`, `grad` and
 * everything built on them call it; call it yourself only to use `tf.grad` directly.
 *
 * @example
 * ```ts
 * import { grad, tanh } from '@tensorflow/tfjs-core';
 * import { installGradients } from '@bpc/core';
 * installGradients();
 * const second = grad(grad((x) => tanh(x)));
 * ```
 */
export function installGradients(): void {
  for (const rule of rules()) if (getGradient(rule.kernelName) !== rule) registerGradient(rule);
}

/** Names of the kernels that have a rule after `installGradients()`. */
export function differentiableKernels(): string[] {
  return rules()
    .map((rule) => rule.kernelName)
    .sort();
}
