import { ConfigError, type HostTree, isTensor, ShapeError, scope, type Tree } from '@bpc/core';
import { add, cast, clone, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import type { DataTensors, Target } from './target.js';
import type { ParameterTree } from './transforms/parameter.js';
import { constrainTree, isParameter, parameterNames } from './transforms/parameter-tree.js';

const isPromise = (value: unknown): boolean => typeof value === 'object' && value !== null && 'then' in value;

function checkLogDensity(value: unknown): asserts value is Scalar {
  if (isPromise(value)) throw new ConfigError('logDensity returned a promise', 'make it a synchronous function of tensors');
  if (!isTensor(value)) {
    throw new ConfigError(
      `logDensity returned ${value === undefined ? 'nothing' : typeof value}, expected a scalar tensor`,
      'return a tensor',
    );
  }
  if (value.shape.length !== 0) {
    throw new ShapeError(`logDensity returned shape [${value.shape}], expected a scalar`, 'add up its terms: return sum(terms)');
  }
  if (value.dtype !== 'float32') {
    throw new ShapeError(`logDensity returned ${value.dtype}, expected float numbers`, "cast its terms with cast(x, 'float32')");
  }
}

/**
 * The log density over unconstrained values: log p(x(u), data) + log |det ∂x/∂u|, in nats.
 *
 * @returns A pure tensor program for `runtime.density`, with `unconstrainedLike(target.parameters)` as its `like`. It throws
 * ConfigError if `logDensity` returns a promise or no tensor, ShapeError unless that is a float scalar.
 * @throws ConfigError if the parameter tree holds anything but parameters.
 * @example
 * ```ts
 * import { jsRuntime } from '@bpc/compiler';
 * import { neg, square, sum, type Scalar } from '@tensorflow/tfjs-core';
 * import { positive, target, unconstrainedDensity, unconstrainedLike } from '@bpc/samplers';
 * const model = target({ parameters: { sigma: positive() }, logDensity: ({ sigma }) => neg(sum(square(sigma))) as Scalar });
 * const density = await jsRuntime().density(unconstrainedDensity(model), unconstrainedLike(model.parameters));
 * density.evaluate(Float64Array.of(0), new Float64Array(1)); // −1: log density −1 at sigma = 1, log-Jacobian 0
 * ```
 */
export function unconstrainedDensity<S extends ParameterTree, H extends HostTree>(target: Target<S, H>): (u: Tree, data: Tree) => Scalar {
  const { parameters } = target;
  parameterNames(parameters);
  return function logDensity(u, data) {
    return scope(() => {
      const { values, logJacobian } = constrainTree(parameters, u);
      // The runtime hands over tensors named like the target's data, which its signature does not tie to H.
      const value: unknown = target.logDensity(values, data as DataTensors<H>);
      checkLogDensity(value);
      return add(value, logJacobian);
    });
  };
}

function checkDerived(derived: unknown, taken: ReadonlySet<string>): asserts derived is { readonly [name: string]: Tensor } {
  if (isPromise(derived)) throw new ConfigError('derived returned a promise', 'make it a synchronous function of tensors');
  if (typeof derived !== 'object' || derived === null || isTensor(derived) || Array.isArray(derived)) {
    throw new ConfigError('derived returned no record of tensors', 'return named tensors: { theta: add(mu, mul(tau, z)) }');
  }
  for (const [name, value] of Object.entries(derived)) {
    if (name === '' || name.includes('/')) throw new ConfigError(`derived names a quantity '${name}'`, "choose a name without '/'");
    if (taken.has(name)) throw new ConfigError(`derived names a quantity '${name}', as the parameters do`, 'choose another name');
    if (!isTensor(value)) throw new ConfigError(`derived returned no tensor for '${name}'`, 'return a tensor per name');
  }
}

/**
 * What draws report, from unconstrained values: the parameters on their supports by name (a parameter alone is `value`), and
 * the derived quantities beside them, integers and truth values as numbers.
 *
 * @returns A pure tensor program for `runtime.mapping`, with `unconstrainedLike(target.parameters)` as its `like`. It throws
 * ConfigError if `derived` returns no record of tensors, or gives one the name of a parameter.
 * @throws ConfigError if the parameter tree holds anything but parameters.
 */
export function targetQuantities<S extends ParameterTree, H extends HostTree>(
  target: Target<S, H>,
): (u: Tree, data: Tree) => { readonly [name: string]: Tree } {
  const { parameters } = target;
  const taken = new Set(parameterNames(parameters).map((path) => path.split('/')[0] ?? path));
  return function quantities(u, data) {
    return scope(() => {
      const { values } = constrainTree(parameters, u);
      const derived: unknown = target.derived?.(values, data as DataTensors<H>) ?? {};
      checkDerived(derived, taken);
      const extra = Object.entries(derived).map(([name, x]) => [name, x.dtype === 'float32' ? clone(x) : cast(x, 'float32')] as const);
      const own = isParameter(parameters) ? { value: values } : values;
      // A tree of tensors with the parameters' names, which the type of the values does not say for every S.
      return { ...(own as { readonly [name: string]: Tree }), ...Object.fromEntries(extra) };
    });
  };
}
