import { type GeneralisedLinearModel, generalisedLinearModel } from '@bpc/baselines';
import {
  crossEntropyEnergy,
  type Energy,
  gaussianEnergy,
  gaussianPrior,
  type HostTree,
  key,
  type Model,
  supervised,
  treeEntries,
} from '@bpc/core';
import { type MlpParams, mlp } from '@bpc/models';
import { type Parameter, type ParameterTree, real, type Target } from '@bpc/samplers';
import { add, mul, type Scalar, sigmoid, softmax, softplus, squeeze, sub, sum, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import { type ClosenessProblem, type HostPoints, trainCount } from './problem.js';

/** −log p(y | η) = log(1 + e^η) − yη of y ∈ {0, 1}. */
const bernoulliEnergy: Energy = (outputs, targets) => squeeze(sub(softplus(outputs), mul(targets, outputs)), [1]) as Tensor1D;

function energyOf({ likelihood, noiseVariance }: ClosenessProblem): Energy {
  if (likelihood === 'normal') return gaussianEnergy({ precision: 1 / noiseVariance });
  return likelihood === 'bernoulli' ? bernoulliEnergy : crossEntropyEnergy();
}

// Smooth, so that the energy error of a trajectory is that of its step size alone.
const networkOf = ({ inputs, outputs, hidden }: ClosenessProblem) => mlp({ inputShape: [inputs], outputs, hidden, activation: 'tanh' });

/** The model of a case: a regression is a network without hidden layers. */
export function modelOf(problem: ClosenessProblem): Model<MlpParams> {
  const prior = gaussianPrior({ precision: problem.priorPrecision });
  return supervised({ network: networkOf(problem), energy: energyOf(problem), prior });
}

/** Zeros of the shapes of the parameters. */
export function parametersLike({ inputs, outputs, hidden }: ClosenessProblem): HostTree & { readonly [layer: string]: HostTree } {
  const sizes = [inputs, ...hidden, outputs];
  const layers = [...hidden.map((_, i) => `hidden${i}`), 'dense'];
  return Object.fromEntries(
    layers.map((name, i) => {
      const shape = [sizes[i] as number, sizes[i + 1] as number];
      const kernel = { data: new Float64Array((shape[0] as number) * (shape[1] as number)), shape };
      return [name, { bias: new Float64Array(shape[1] as number), kernel }];
    }),
  );
}

/** Matrices of points as what programs of the float64 runtime take. */
export function hostTree({ x, y, weights }: HostPoints, { inputs, outputs }: ClosenessProblem) {
  const count = weights.length;
  return { x: { data: x, shape: [count, inputs] }, y: { data: y, shape: [count, outputs] }, weights };
}

type PointTensors = { readonly x: Tensor; readonly y: Tensor; readonly weights: Tensor1D };

/** log π(θ) + Σ w log p(y | x, θ) of weighted points, as what `sample` samples from: float64 throughout. */
export function targetOf(problem: ClosenessProblem, points: HostPoints): Target {
  const model = modelOf(problem);
  const parameters: Record<string, ParameterTree> = {};
  for (const [layer, leaves] of Object.entries(model.init(key(0)))) {
    const shapes = Object.fromEntries(treeEntries(leaves).map(([name, leaf]): [string, Parameter] => [name, real(leaf.shape)]));
    parameters[layer] = shapes;
    for (const [, leaf] of treeEntries(leaves)) leaf.dispose();
  }
  // Tensors are named like parameters and data, which a tree that is made from a network cannot say.
  const logDensity = (params: MlpParams, { x, y, weights }: PointTensors): Scalar =>
    add(model.logPrior(params), sum(mul(weights, model.logLikelihood(params, { x, y })))) as Scalar;
  return { parameters, data: hostTree(points, problem), logDensity: logDensity as unknown as Target['logDensity'] };
}

/** Probabilities of all classes at the rows of x, `[rows, classes]`: two for a logistic regression. */
export function probabilitiesOf(problem: ClosenessProblem): (params: MlpParams, data: { readonly x: Tensor }) => { readonly p: Tensor } {
  const network = networkOf(problem);
  return (params, { x }) => {
    const outputs = network.apply(params, x);
    return { p: problem.likelihood === 'bernoulli' ? sigmoid(outputs) : softmax(outputs) };
  };
}

/** Inputs with a leading 1, whose coefficient is the bias: the flat order of a regression's parameters. */
export function designMatrix(x: Float64Array, inputs: number) {
  const count = x.length / inputs;
  const data = new Float64Array(count * (inputs + 1)).fill(1);
  for (let n = 0; n < count; n++) data.set(x.subarray(n * inputs, (n + 1) * inputs), n * (inputs + 1) + 1);
  return { data, shape: [count, inputs + 1] as const };
}

/** A regression over some points (weights apart), in float64 on the host, with the case's prior and noise. */
export function linearModelOf(problem: ClosenessProblem, { x, y }: HostPoints): GeneralisedLinearModel {
  const { likelihood, inputs, priorPrecision, noiseVariance } = problem;
  const family = likelihood === 'normal' ? 'gaussian' : 'logistic';
  return generalisedLinearModel({ family, x: designMatrix(x, inputs), y, priorPrecision, noiseVariance });
}

/** Points of the training data with weights. */
export function subsetPoints(problem: ClosenessProblem, indices: Int32Array, weights: Float64Array): HostPoints {
  const { train, inputs, outputs } = problem;
  const rows = (values: Float64Array, width: number) => {
    const out = new Float64Array(indices.length * width);
    indices.forEach((index, i) => {
      out.set(values.subarray(index * width, (index + 1) * width), i * width);
    });
    return out;
  };
  return { x: rows(train.x, inputs), y: rows(train.y, outputs), weights: Float64Array.from(weights) };
}

/**
 * The length of inner steps that a step size of 1 stands for: the inverse of a bound of the largest curvature of
 * −log π(θ) − Σ log p, `ρ + c Σ ‖(1, x_n)‖²` with c = 1/σ² of normal noise and ¼ of a logistic likelihood.
 *
 * For a network it is a unit and no bound.
 */
export function stepUnit(problem: ClosenessProblem): number {
  const { train, priorPrecision, likelihood, noiseVariance } = problem;
  const squares = train.x.reduce((sum, value) => sum + value * value, trainCount(problem));
  return 1 / (priorPrecision + (likelihood === 'normal' ? 1 / noiseVariance : 0.25) * squares);
}
