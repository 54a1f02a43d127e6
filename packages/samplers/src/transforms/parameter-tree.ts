import { BpcError, ConfigError, type HostTensor, type HostTree, isTensor, ShapeError, scope, type Tree } from '@bpc/core';
import { add, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { show } from '../show.js';
import type { Parameter, ParameterTensors, ParameterTree } from './parameter.js';
import { noChange, sizeOf } from './support.js';

/** What a parameter tree that is one parameter alone calls it in results. */
const ALONE = 'value';

type Entry = readonly [path: string, parameter: Parameter];

/** True for what `real()`, `positive()`, … return, and for parameters of other authors. */
export function isParameter(value: unknown): value is Parameter {
  return (
    typeof value === 'object' &&
    value !== null &&
    'constrain' in value &&
    typeof value.constrain === 'function' &&
    'unconstrain' in value &&
    typeof value.unconstrain === 'function' &&
    'shape' in value &&
    Array.isArray(value.shape)
  );
}

function describe(value: unknown): string {
  if (typeof value === 'function') return `the function '${value.name || 'anonymous'}'`;
  if (Array.isArray(value)) return 'an array';
  if (isTensor(value)) return 'a tensor';
  return typeof value === 'object' && value !== null && !(Symbol.iterator in value) ? 'an object without parameters' : show(value);
}

function refuse(path: string, value: unknown): never {
  const name = path === '' ? 'parameters' : path;
  const last = name.split('/').pop() ?? name;
  const call = typeof value === 'function' && /^[a-z]\w*$/.test(value.name) ? `${value.name}()` : 'real()';
  const remedy = path === '' ? 'write { mu: real(), sigma: positive() }' : `write ${last}: ${call}, and put data under 'data'`;
  throw new ConfigError(`the parameter '${name}' is ${describe(value)}, expected a parameter`, remedy);
}

/** Parameters with their paths, in canonical order: names sorted, as everywhere. Checks the tree, which may come from plain JavaScript. */
export function parameterEntries(parameters: ParameterTree, prefix = ''): Entry[] {
  if (isParameter(parameters)) return [[prefix, parameters]];
  const plain: unknown = parameters;
  if (typeof plain !== 'object' || plain === null || Symbol.iterator in plain || isTensor(plain)) return refuse(prefix, plain);
  const names = Object.keys(parameters).sort();
  if (names.length === 0) return refuse(prefix, plain);
  return names.flatMap((name) => {
    if (name === '' || name.includes('/')) {
      throw new ConfigError(`a parameter is named '${name}'`, "nest records instead of writing '/' into names: { a: { b: real() } }");
    }
    // The name is a key of this very object.
    return parameterEntries(parameters[name] as ParameterTree, prefix === '' ? name : `${prefix}/${name}`);
  });
}

/**
 * Names and shapes of a tree's parameters as draws report them, names joined by `/`; `value` for a tree that is one parameter
 * alone.
 *
 * @throws ConfigError for what is no parameter, an empty tree, and names that are empty or contain `/`.
 * @example
 * ```ts
 * import { parameterShapes, positive, real } from '@bpc/samplers';
 * parameterShapes({ tau: positive(), z: real([8]) }); // [{ name: 'tau', shape: [] }, { name: 'z', shape: [8] }]
 * ```
 */
export function parameterShapes(parameters: ParameterTree): { readonly name: string; readonly shape: readonly number[] }[] {
  return parameterEntries(parameters).map(([path, { shape }]) => ({ name: path === '' ? ALONE : path, shape }));
}

/** The names of `parameterShapes`. */
export const parameterNames = (parameters: ParameterTree): string[] => parameterShapes(parameters).map(({ name }) => name);

/** A tree with the names of `parameters` and a leaf per parameter; the author's order of names is kept. */
function mapParameters<L>(
  parameters: ParameterTree,
  f: (parameter: Parameter, path: string) => L,
): L | { readonly [name: string]: unknown } {
  const leaves = new Map(parameterEntries(parameters).map(([path, parameter]) => [path, f(parameter, path)]));
  const build = (node: ParameterTree, path: string): unknown => {
    if (isParameter(node)) return leaves.get(path);
    return Object.fromEntries(Object.entries(node).map(([name, child]) => [name, build(child, path === '' ? name : `${path}/${name}`)]));
  };
  return build(parameters, '') as L | { readonly [name: string]: unknown };
}

/** Numbers as the leaf of a host tree; rank 2 and more need their shape. */
const hostLeaf = (data: Float64Array, shape: readonly number[]): HostTensor =>
  shape.length === 0 ? (data[0] ?? Number.NaN) : shape.length === 1 ? data : { data, shape };

/**
 * Zeros with the names and unconstrained shapes of `parameters`: the `like` of `runtime.density` and `runtime.mapping`.
 *
 * @throws ConfigError like `parameterShapes`.
 */
export function unconstrainedLike(parameters: ParameterTree): HostTree {
  return mapParameters(parameters, ({ unconstrainedShape: shape }) => hostLeaf(new Float64Array(sizeOf(shape)), shape)) as HostTree;
}

function child(tree: Tree, name: string): Tree | undefined {
  if (isTensor(tree) || Array.isArray(tree)) return undefined;
  const record = tree as { readonly [name: string]: Tree };
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** The leaf of `u` at a path, checked. */
function leafAt(u: Tree, path: string, { unconstrainedShape }: Parameter): Tensor {
  const leaf = (path === '' ? [] : path.split('/')).reduce<Tree | undefined>((node, name) => node && child(node, name), u);
  if (leaf === undefined || !isTensor(leaf) || leaf.shape.join() !== unconstrainedShape.join()) {
    const found = leaf === undefined ? 'nothing' : isTensor(leaf) ? `shape [${leaf.shape}]` : 'a tree';
    throw new ShapeError(
      `unconstrained values have ${found} at '${path}', expected shape [${unconstrainedShape}]`,
      'pass a tree like unconstrainedLike(parameters)',
    );
  }
  return leaf;
}

/**
 * All parameters at unconstrained values `u`, with the sum of their log-Jacobians, in nats. A pure tensor program.
 *
 * @returns Fresh tensors, owned by the caller.
 * @throws ShapeError if `u` has other names or shapes than `unconstrainedLike(parameters)`.
 * @example
 * ```ts
 * import '@tensorflow/tfjs-backend-cpu';
 * import { scalar } from '@tensorflow/tfjs-core';
 * import { constrainTree, positive, real } from '@bpc/samplers';
 * const { values, logJacobian } = constrainTree({ mu: real(), sigma: positive() }, { mu: scalar(1), sigma: scalar(0) });
 * values.sigma.dataSync(); // [1]
 * logJacobian.dataSync(); // [0]
 * ```
 */
export function constrainTree<S extends ParameterTree>(
  parameters: S,
  u: Tree,
): { readonly values: ParameterTensors<S>; readonly logJacobian: Scalar } {
  const made = scope(() => {
    const jacobians: Scalar[] = [];
    const values = mapParameters(parameters, (parameter, path) => {
      const { value, logJacobian } = parameter.constrain(leafAt(u, path, parameter));
      jacobians.push(logJacobian);
      return value;
    }) as Tree;
    return { values, logJacobian: jacobians.reduce<Scalar>((sum, term) => add(sum, term), noChange()) };
  });
  // Built name by name from the tree itself, which types cannot follow.
  return made as unknown as { readonly values: ParameterTensors<S>; readonly logJacobian: Scalar };
}

/** Names the parameter in an error about its value. */
function locate(path: string, cause: unknown): unknown {
  if (!(cause instanceof BpcError) || path === '') return cause;
  const text = cause.message.slice(0, cause.message.length - cause.remedy.length - 3);
  const Kind = cause instanceof ShapeError ? ShapeError : ConfigError;
  return new Kind(`parameter '${path}': ${text}`, cause.remedy, { cause });
}

/**
 * Unconstrained values of a start that a user gives, in float64: a leaf per parameter, shaped like its `unconstrainedShape`.
 *
 * @param values Numbers with the names of `parameters`, on their supports.
 * @throws ConfigError for values outside of a support, names that are missing and names that are no parameters; ShapeError for
 * other shapes. All name the parameter.
 * @example
 * ```ts
 * import { positive, real, unconstrainTree } from '@bpc/samplers';
 * unconstrainTree({ mu: real(), sigma: positive() }, { mu: 2, sigma: 1 }); // { mu: 2, sigma: 0 }
 * ```
 */
export function unconstrainTree(parameters: ParameterTree, values: HostTree): HostTree {
  const convert = (node: ParameterTree, given: HostTree | undefined, path: string): HostTree => {
    if (given === undefined) throw new ConfigError(`values lack the parameter '${path}'`, 'give every parameter a value, or none');
    if (isParameter(node)) {
      try {
        // What is no host tensor is refused by the parameter.
        return hostLeaf(node.unconstrain(given as HostTensor), node.unconstrainedShape);
      } catch (cause) {
        throw locate(path, cause);
      }
    }
    if (typeof given !== 'object' || given === null || Symbol.iterator in given) {
      throw new ConfigError(`values have ${describe(given)} at '${path}', expected names`, `pass { ${Object.keys(node).join(', ')} }`);
    }
    const record = given as { readonly [name: string]: HostTree };
    const unknown = Object.keys(record).find((name) => !Object.hasOwn(node, name));
    const at = (name: string) => (path === '' ? name : `${path}/${name}`);
    if (unknown !== undefined) {
      throw new ConfigError(`values name '${at(unknown)}', which is no parameter`, `parameters are ${Object.keys(node).join(', ')}`);
    }
    return Object.fromEntries(
      Object.entries(node).map(([name, child]) => [name, convert(child, Object.hasOwn(record, name) ? record[name] : undefined, at(name))]),
    );
  };
  parameterEntries(parameters);
  return convert(parameters, values, '');
}
