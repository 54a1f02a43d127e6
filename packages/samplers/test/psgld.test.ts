import './support/backend.js';
import { jsRuntime } from '@bpc/compiler';
import { hostNormal, key } from '@bpc/core';
import { bananaTarget, psgld, psgldStep } from '@bpc/samplers';
import { reshape, type Scalar, slice, stack, type Tensor, tensor1d } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';

const { logDensity: density } = bananaTarget({ curvature: 0.4, scale: 1.5 });
const logDensity = ({ a, b }: { readonly a: Tensor; readonly b: Tensor }): Scalar => density({ x: stack([a, b]) }, {});

/** Gradient of the banana, by hand. */
function gradient([x, y]: readonly number[]): number[] {
  const straight = y! - 0.4 * (x! * x! - 2.25);
  return [-x! / 2.25 + straight * 0.8 * x!, -straight];
}

/** The recurrence of the paper on plain numbers, with Γ by central differences of G along each axis. */
function reference(noise: Float32Array, steps: number, { stepSize, temperature, decay, floor, size, corrected }: Settings): number[] {
  let position = [0.7, -0.3];
  let squares = [0, 0];
  const scaleAt = (at: readonly number[], i: number) =>
    1 / (floor + Math.sqrt(decay * squares[i]! + (1 - decay) * (gradient(at)[i]! / size) ** 2));
  for (let t = 0; t < steps; t++) {
    const g = gradient(position);
    const next = position.map((x, i) => {
      const scale = scaleAt(position, i);
      const shifted = (h: number) =>
        scaleAt(
          position.map((value, k) => (k === i ? value + h : value)),
          i,
        );
      const drift = corrected ? (shifted(1e-5) - shifted(-1e-5)) / 2e-5 : 0;
      return x + stepSize * (scale * g[i]! + temperature * drift) + Math.sqrt(2 * stepSize * temperature * scale) * noise[2 * t + i]!;
    });
    squares = squares.map((v, i) => decay * v + (1 - decay) * (g[i]! / size) ** 2);
    position = next;
  }
  return position;
}

type Settings = {
  readonly stepSize: number;
  readonly temperature: number;
  readonly decay: number;
  readonly floor: number;
  readonly size: number;
  readonly corrected: boolean;
};

describe('psgld', () => {
  it.each([
    { stepSize: 0.05, temperature: 1, decay: 0.9, floor: 0.1, size: 1, corrected: false },
    { stepSize: 0.05, temperature: 1, decay: 0.9, floor: 0.1, size: 1, corrected: true },
    { stepSize: 0.01, temperature: 0.3, decay: 0, floor: 0.5, size: 7, corrected: true },
  ])('takes the steps of its recurrence on a tree, in float64: %o', async (settings) => {
    const { corrected, ...rest } = settings;
    const steps = 6;
    const noise = hostNormal(key(21), 2 * steps);
    const options = { ...rest, logDensity, correction: corrected ? 'exact' : 'none' } as const;
    const runtime = jsRuntime();
    const mapping = await runtime.mapping(
      ({ a, b }: { readonly a: Tensor; readonly b: Tensor }, xi: Tensor) => {
        let state = psgld(options).init({ a, b }, key(0));
        for (let t = 0; t < steps; t++) {
          const [first, second] = [slice(xi, [2 * t], [1]), slice(xi, [2 * t + 1], [1])];
          [state] = psgldStep(state, { a: reshape(first, []), b: reshape(second, []) }, options);
        }
        return state.position;
      },
      { a: 0, b: 0 },
      Float64Array.from(noise),
    );
    const out = new Float64Array(2);
    await mapping.evaluate(Float64Array.of(0.7, -0.3), out);
    reference(noise, steps, settings).forEach((value, i) => expect(Math.abs(out[i]! - value)).toBeLessThan(2e-9));
    await runtime.dispose();
  });

  it('computes no correction, and no NaN, where the gradient vanishes', () => {
    const options = {
      logDensity: (x: Tensor) => density({ x }, {}),
      stepSize: 0.1,
      decay: 0,
      correction: 'exact',
      temperature: 0,
    } as const;
    const { init } = psgld(options);
    // The mode: x = 0, y = −0.4 · 2.25.
    const [state] = psgldStep(init(tensor1d([0, -0.9]) as Tensor, key(0)), undefined, options);
    expect(Math.abs(state.position.dataSync()[0]!)).toBeLessThan(1e-6);
    expect([...state.position.dataSync()].every(Number.isFinite)).toBe(true);
  });
});
