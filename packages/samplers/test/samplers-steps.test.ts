import './support/backend.js';
import { key } from '@bpc/core';
import { hmc, hmcStep, sghmcStep } from '@bpc/samplers';
import { mul, type Scalar, scalar, square, sum, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';

const normal = (x: Tensor): Scalar => mul(sum(square(x)), -0.5);
const number = (x: Tensor): number => x.dataSync()[0] ?? Number.NaN;

describe('one step with its random numbers given', () => {
  it('of hmc is divergent beyond the threshold, though its energy is finite', () => {
    const options = { logDensity: normal, stepSize: 1, leapfrogSteps: 1 };
    const state = hmc(options).init(tensor1d([1]) as Tensor, key(0));
    const noise = { momentum: tensor1d([1]) as Tensor, accept: scalar(0.5) };
    const info = (divergenceThreshold: number) => hmcStep(state, noise, { ...options, divergenceThreshold })[1];
    // q = 1, r = 1: r ← ½, q ← 3/2, r ← −¼, so that H goes from 1 to 9/8 + 1/32.
    const error = 9 / 8 + 1 / 32 - 1;
    expect(number(info(1000).energyError)).toBeCloseTo(error, 6);
    expect(number(info(1.01 * error).divergent)).toBe(0);
    expect(number(info(0.99 * error).divergent)).toBe(1);
  });

  it('of sghmc leaves out the noise that the gradient brings: √(2(α − β)T)', () => {
    const state = { position: tensor1d([0]) as Tensor, momentum: tensor1d([0]) as Tensor, step: scalar(0, 'int32') };
    const noise: Tensor = tensor1d([1]);
    const options = { logDensity: normal, stepSize: 0.1, momentumDecay: 0.3, temperature: 2, gradientNoise: 0.1 };
    expect(number(sghmcStep(state, noise, options)[0].momentum)).toBeCloseTo(Math.sqrt(0.8), 6);
    expect(number(sghmcStep(state, noise, { ...options, gradientNoise: 0 })[0].momentum)).toBeCloseTo(Math.sqrt(1.2), 6);
  });
});
