import { denseMetric, diagonalMetric, type Metric, unitMetric } from '@bpc/samplers';
import { describe, expect, it } from 'vitest';
import { leapfrog } from '../src/nuts/leapfrog.js';
import { fillSlot, makeWorkspace, momentumOf } from '../src/nuts/workspace.js';
import { funnel, gaussian, type HandWritten } from './support/flat-densities.js';

type Phase = { readonly q: number[]; readonly r: number[]; readonly energy: number };

/** Integrates through alternating slots, as trees do. */
function trajectory(
  density: HandWritten,
  metric: Metric,
  start: Pick<Phase, 'q' | 'r'>,
  h: number,
  steps: number,
  temperature = 1,
): Phase[] {
  const workspace = makeWorkspace(density.size, 2, 0);
  const { size, values, positions, gradients, logDensities, energies } = workspace;
  const integrator = leapfrog(workspace, temperature);
  integrator.configure(Math.abs(h), metric);
  const gradient = new Float64Array(size);
  const q = Float64Array.from(start.q);
  fillSlot(workspace, 0, q, gradient, density.evaluate(q, gradient));
  values.set(start.r, momentumOf(workspace, 0));
  integrator.enter(0);
  const read = (slot: number): Phase => {
    const at = momentumOf(workspace, slot);
    return { q: [...positions[slot]!], r: [...values.subarray(at, at + size)], energy: energies[slot]! };
  };
  const path = [read(0)];
  for (let i = 0; i < steps; i++) {
    const [from, to] = [i % 2, (i + 1) % 2];
    integrator.leave(from, to, h < 0);
    logDensities[to] = density.evaluate(positions[to]!, gradients[to]!);
    integrator.arrive(to, h < 0);
    path.push(read(to));
  }
  return path;
}

const largest = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
const start = { q: [0.7, -0.4], r: [0.9, 0.5] };
const metrics: [string, Metric][] = [
  ['unit', unitMetric(2)],
  ['diagonal', diagonalMetric([0.5, 2])],
  ['dense', denseMetric([1, 0.6, 0.6, 1.5], 2)],
];

describe.each(metrics)('the leapfrog with a %s metric', (kind, metric) => {
  it('is reversible: as many steps backward lead to the start', () => {
    const there = trajectory(funnel, metric, start, 0.1, 50).at(-1)!;
    expect(largest(there.q, start.q)).toBeGreaterThan(0.1);
    const back = trajectory(funnel, metric, there, -0.1, 50).at(-1)!;
    expect(largest([...back.q, ...back.r], [...start.q, ...start.r])).toBeLessThan(1e-12);
    const flipped = trajectory(funnel, metric, { q: there.q, r: there.r.map((x) => -x) }, 0.1, 50).at(-1)!;
    expect(largest(flipped.q, start.q)).toBeLessThan(1e-12);
  });

  it('has an energy error of order h²', () => {
    const error = (h: number) => {
      const path = trajectory(funnel, metric, start, h, Math.round(2 / h));
      return Math.max(...path.map(({ energy }) => Math.abs(energy - path[0]!.energy)));
    };
    const ratios = [0.1, 0.05, 0.025].map((h) => error(h) / error(h / 2));
    ratios.forEach((ratio) => expect(Math.abs(ratio - 4)).toBeLessThan(0.3));
  });

  it('is of second order in the position', () => {
    const end = (h: number) => trajectory(funnel, metric, start, h, Math.round(1 / h)).at(-1)!.q;
    const exact = end(1 / 4096);
    const ratio = largest(end(1 / 16), exact) / largest(end(1 / 32), exact);
    expect(Math.abs(ratio - 4)).toBeLessThan(0.3);
  });

  it('preserves volume', () => {
    const flow = (z: readonly number[]) => {
      const { q, r } = trajectory(funnel, metric, { q: z.slice(0, 2), r: z.slice(2) }, 0.3, 5).at(-1)!;
      return [...q, ...r];
    };
    const z = [...start.q, ...start.r];
    const step = 1e-5;
    const columns = z.map((_, j) => {
      const moved = (by: number) => flow(z.map((x, i) => (i === j ? x + by : x)));
      const [up, down] = [moved(step), moved(-step)];
      return up.map((x, i) => (x - down[i]!) / (2 * step));
    });
    expect(Math.abs(determinant(columns)) - 1).toBeCloseTo(0, 7);
  });

  it('is the textbook leapfrog in momenta p = L⁻ᵀ r', () => {
    const h = 0.2;
    const [found] = trajectory(funnel, metric, start, h, 1).slice(-1);
    const inverseMass = (i: number, j: number) =>
      kind === 'dense' ? metric.inverseMass[2 * i + j]! : i === j ? metric.inverseMass[i]! : 0;
    const factor = (i: number, j: number) => (kind === 'dense' ? metric.factor[2 * i + j]! : i === j ? metric.factor[i]! : 0);
    // Back substitution in Lᵀ p = r.
    const p1 = start.r[1]! / factor(1, 1);
    const p = [(start.r[0]! - factor(1, 0) * p1) / factor(0, 0), p1];
    const gradient = new Float64Array(2);
    funnel.evaluate(Float64Array.from(start.q), gradient);
    const half = p.map((x, i) => x + (h / 2) * gradient[i]!);
    const q = start.q.map((x, i) => x + h * (inverseMass(i, 0) * half[0]! + inverseMass(i, 1) * half[1]!));
    funnel.evaluate(Float64Array.from(q), gradient);
    const end = half.map((x, i) => x + (h / 2) * gradient[i]!);
    const r = [factor(0, 0) * end[0]! + factor(1, 0) * end[1]!, factor(1, 1) * end[1]!];
    expect(largest([...found!.q, ...found!.r], [...q, ...r])).toBeLessThan(1e-14);
  });

  it('at temperature T is that of the density to the power 1/T', () => {
    const cold: HandWritten = {
      size: 2,
      evaluate(q, gradient) {
        const value = funnel.evaluate(q, gradient) / 0.25;
        gradient.forEach((x, i) => {
          gradient[i] = x / 0.25;
        });
        return value;
      },
    };
    const [a, b] = [trajectory(funnel, metric, start, 0.1, 20, 0.25), trajectory(cold, metric, start, 0.1, 20)];
    a.forEach((phase, i) => {
      expect(largest(phase.q, b[i]!.q)).toBeLessThan(1e-12);
      expect(phase.energy).toBeCloseTo(b[i]!.energy, 11);
    });
  });
});

describe('the leapfrog', () => {
  it('turns a harmonic oscillator by the angle of its discretised period', () => {
    // For N(0, 1), cos ω = 1 − h²/2 exactly, and q_n = q₀ cos nω if r₀ = 0.
    const h = 0.5;
    const path = trajectory(gaussian([1], [0]), unitMetric(1), { q: [1], r: [0] }, h, 40);
    const angle = Math.acos(1 - (h * h) / 2);
    path.forEach(({ q }, n) => expect(q[0]).toBeCloseTo(Math.cos(n * angle), 12));
  });

  it('gives the energy +∞ where density or gradient are no numbers', () => {
    const broken = (value: number, slope: number): HandWritten => ({
      size: 1,
      evaluate: (q, gradient) => {
        gradient[0] = q[0] === 0 ? 0 : slope;
        return q[0] === 0 ? 0 : value;
      },
    });
    for (const [value, slope] of [
      [Number.NaN, 0],
      [0, Number.NaN],
      [0, Number.POSITIVE_INFINITY],
      [Number.NEGATIVE_INFINITY, 0],
      [Number.POSITIVE_INFINITY, 0],
    ] as const) {
      const path = trajectory(broken(value, slope), unitMetric(1), { q: [0], r: [1] }, 0.1, 1);
      expect(path[1]!.energy).toBe(Number.POSITIVE_INFINITY);
    }
  });
});

/** By Laplace's expansion. */
function determinant(matrix: readonly (readonly number[])[]): number {
  const [first, ...rest] = matrix;
  if (first === undefined) return 1;
  return first.reduce((sum, x, j) => sum + (j % 2 ? -x : x) * determinant(rest.map((row) => row.filter((_, k) => k !== j))), 0);
}
