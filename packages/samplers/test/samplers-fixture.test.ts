import { key, type Tree } from '@bpc/core';
import {
  hmc,
  hmcStep,
  leapfrogStep,
  mala,
  malaStep,
  metricOf,
  minibatchLogDensity,
  type PhasePoint,
  sghmcStep,
  sgld,
  sgldStep,
  ula,
  ulaStep,
} from '@bpc/samplers';
import {
  cast,
  exp,
  gather,
  log1p,
  matMul,
  mul,
  neg,
  reshape,
  type Scalar,
  scalar,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { CASES, compared, expectChain, fixture, logDensityOf, row, rows, settings } from './support/sampler-fixture.js';

const steps = (count: number) => Array.from({ length: count }, (_, i) => i);

describe.each(CASES)('on the %s of the reference chains', (name) => {
  const { temperature, transitions } = settings(name);

  it('the log density and its gradient are as stored', () =>
    expectChain(name, '', [], (inputs) => {
      const { logDensity, gradient } = hmc({ logDensity: logDensityOf(name, inputs), stepSize: 1, leapfrogSteps: 1 }).init(
        inputs['initial']!,
        key(0),
      );
      return { initial_energy: neg(logDensity), initial_gradient: neg(gradient) };
    }));

  it('ula takes the stored steps', () =>
    expectChain(name, 'ula', ['ula/xi'], (inputs) => {
      const options = { logDensity: logDensityOf(name, inputs), stepSize: settings(name).ula.stepSize, temperature };
      let state = ula(options).init(inputs['initial']!, key(0));
      const states = steps(transitions).map((i) => (state = ulaStep(state, row(inputs['xi']!, i), options)[0]).position);
      return { states: rows(states) };
    }));

  it('mala makes the stored proposals and decisions', () =>
    expectChain(name, 'mala', ['mala/xi', 'mala/u'], (inputs) => {
      const { stepSize } = settings(name).mala;
      const options = { logDensity: logDensityOf(name, inputs), stepSize, temperature };
      let state = mala(options).init(inputs['initial']!, key(0));
      const made = steps(transitions).map((i) => {
        const proposal = row(inputs['xi']!, i);
        const momentum = mul(proposal, sqrt(scalar(temperature)));
        const point = { ...state, momentum };
        const epsilon = sqrt(mul(scalar(stepSize), 2) as Scalar);
        const proposed = leapfrogStep(point, {
          logDensity: options.logDensity,
          stepSize: epsilon,
          metric: metricOf(state.inverseMass, momentum),
        });
        const [next, info] = malaStep(state, { proposal, accept: row(inputs['u']!, i) as Scalar }, options);
        state = next;
        return { state: next.position, proposal: proposed.position, ...info };
      });
      return {
        states: rows(made.map((each) => each.state)),
        proposals: rows(made.map((each) => each.proposal)),
        log_ratio: rows(made.map((each) => each.logRatio)),
        accepted: rows(made.map((each) => each.accepted)),
      };
    }));

  it('hmc walks the stored trajectories, with their energies and decisions', () =>
    expectChain(name, 'hmc', ['hmc/xi', 'hmc/u'], (inputs) => {
      const { stepSize, leapfrogSteps } = settings(name).hmc;
      const options = { logDensity: logDensityOf(name, inputs), stepSize, leapfrogSteps, temperature };
      let state = hmc(options).init(inputs['initial']!, key(0));
      const made = steps(transitions).map((i) => {
        const momentum = row(inputs['xi']!, i);
        const path = trajectory({ ...state, momentum: mul(momentum, sqrt(scalar(temperature))) }, options, state.inverseMass);
        const [next, info] = hmcStep(state, { momentum, accept: row(inputs['u']!, i) as Scalar }, options);
        state = next;
        return { state: next.position, ...path, ...info };
      });
      return {
        states: rows(made.map((each) => each.state)),
        trajectories: rows(made.map((each) => each.positions)),
        energies: rows(made.map((each) => each.energies)),
        accepted: rows(made.map((each) => each.accepted)),
      };
    }));

  it('hmc moves by a diagonal mass as stored', () =>
    expectChain(name, 'hmc_mass', ['hmc_mass/inverse_mass', 'hmc/xi'], (inputs) => {
      const { stepSize, leapfrogSteps } = settings(name).hmc;
      const inverseMass = inputs['inverse_mass']!;
      const options = { logDensity: logDensityOf(name, inputs), stepSize, leapfrogSteps, temperature, inverseMass };
      const state = hmc(options).init(inputs['initial']!, key(0));
      const momentum = row(inputs['hmc_xi']!, 0);
      const path = trajectory({ ...state, momentum: mul(momentum, sqrt(scalar(temperature))) }, options, state.inverseMass);
      // A uniform of 0 accepts the end whatever its energy.
      const [next] = hmcStep(state, { momentum, accept: scalar(0) }, options);
      return { end: next.position, energies: path.energies };
    }));

  it('sghmc takes the stored steps', () =>
    expectChain(name, 'sghmc', ['sghmc/xi', 'sghmc/initial_momentum'], (inputs) => {
      const { stepSize, friction: momentumDecay } = settings(name).sghmc;
      const options = { logDensity: logDensityOf(name, inputs), stepSize, momentumDecay, temperature };
      let state = { position: inputs['initial']!, momentum: inputs['initial_momentum']!, step: scalar(0, 'int32') as Scalar };
      const made = steps(transitions).map((i) => (state = sghmcStep(state, row(inputs['xi']!, i), options)[0]));
      return { states: rows(made.map((each) => each.position)), momenta: rows(made.map((each) => each.momentum)) };
    }));
});

it('sgld takes the stored steps on mini-batches, at step sizes that change', () =>
  expectChain('blr', 'sgld', ['sgld/minibatch', 'sgld/step_sizes', 'ula/xi'], (inputs) => {
    const { total } = settings('blr').sgld!;
    const [x, y] = [inputs['data']!, cast(inputs['labels']!, 'float32')];
    const { priorPrecision = 0 } = settings('blr');
    const logDensity = minibatchLogDensity({
      logPrior: (theta: Tensor) => mul(sum(square(theta)), -priorPrecision / 2),
      logLikelihood: (theta: Tensor, batch: Tensor) => {
        const margins = mul(gather(y, batch), reshape(matMul(gather(x, batch), reshape(theta, [-1, 1])), [-1]));
        return neg(log1p(exp(neg(margins))));
      },
      size: total,
    });
    const stepSizes = inputs['step_sizes']!;
    const options = {
      logDensity,
      stepSize: (step: Scalar) => gather(stepSizes, cast(step, 'int32')) as Scalar,
      temperature: settings('blr').temperature,
    };
    let state = sgld(options).init(inputs['initial']!, key(0));
    const states = steps(settings('blr').transitions).map(
      (i) => (state = sgldStep(state, row(inputs['ula_xi']!, i), options, row(inputs['minibatch']!, i))[0]).position,
    );
    return { states: rows(states) };
  }));

it('every stored result was compared', () => {
  const outputs = Object.entries(fixture.entries).flatMap(([name, { role, dtype }]) => (role === 'output' ? [`${name} ${dtype}`] : []));
  expect([...compared].map((name) => `${name} ${fixture.entries[name]!.dtype}`).sort()).toEqual(outputs.sort());
});

/** Positions [L + 1, d] and energies [L + 1] of the leapfrog steps that `hmcStep` takes. */
function trajectory(
  start: PhasePoint<Tensor>,
  { logDensity, stepSize, leapfrogSteps }: { logDensity: (theta: Tensor, data?: Tree) => Scalar; stepSize: number; leapfrogSteps: number },
  inverseMass: Tensor,
): { readonly positions: Tensor; readonly energies: Tensor } {
  const options = {
    logDensity: (theta: Tensor) => logDensity(theta),
    stepSize: scalar(stepSize),
    metric: metricOf(inverseMass, start.position),
  };
  const points = [start];
  for (let i = 0; i < leapfrogSteps; i++) points.push(leapfrogStep(points[i]!, options));
  return {
    positions: rows(points.map(({ position }) => position)),
    energies: rows(points.map(({ momentum, logDensity: value }) => sub(mul(sum(square(momentum)), 0.5), value))),
  };
}
