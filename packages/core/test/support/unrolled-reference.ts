/** A ReLU network with one hidden layer and its points, as plain numbers: float64, and nothing of this repository. */
export type PlainProblem = {
  readonly inputs: number;
  readonly hidden: number;
  readonly outputs: number;
  readonly start: PlainParams;
  readonly expert: PlainParams;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly weights: readonly number[];
  readonly stepSize: number;
  readonly steps: number;
  readonly precision: number;
  readonly reduction: 'sum' | 'mean';
  readonly normalise: boolean;
  /** Step t sees inputs times 1 + this·(t + 1). */
  readonly stretch: number;
};

export type PlainParams = {
  readonly kernel0: readonly number[];
  readonly bias0: readonly number[];
  readonly kernel1: readonly number[];
  readonly bias1: readonly number[];
};

const names = ['kernel0', 'bias0', 'kernel1', 'bias1'] as const;
const each = (f: (name: (typeof names)[number]) => number[]): Record<(typeof names)[number], number[]> => ({
  kernel0: f('kernel0'),
  bias0: f('bias0'),
  kernel1: f('kernel1'),
  bias1: f('bias1'),
});
const at = (values: readonly number[], i: number): number => values[i] ?? Number.NaN;
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

/** Gradient of Σ_m w_m CE_m + ½ρ‖θ‖², divided by M for means, by hand. */
function gradient(problem: PlainProblem, theta: PlainParams, factor: number): PlainParams {
  const { inputs, hidden, outputs, x, y, weights, precision, reduction } = problem;
  const total = each((name) => theta[name].map((value) => precision * value));
  const increase = (name: (typeof names)[number], i: number, by: number) => {
    total[name][i] = at(total[name], i) + by;
  };
  weights.forEach((weight, m) => {
    const input = range(inputs).map((i) => factor * at(x, m * inputs + i));
    const before = range(hidden).map((h) => at(theta.bias0, h) + sum(input.map((value, i) => value * at(theta.kernel0, i * hidden + h))));
    const units = before.map((value) => Math.max(0, value));
    const logits = range(outputs).map((c) => at(theta.bias1, c) + sum(units.map((value, h) => value * at(theta.kernel1, h * outputs + c))));
    const most = Math.max(...logits);
    const exps = logits.map((value) => Math.exp(value - most));
    const label = range(outputs).map((c) => at(y, m * outputs + c));
    const inLogits = exps.map((value, c) => weight * ((sum(label) * value) / sum(exps) - at(label, c)));
    const inUnits = units.map((value, h) => (value > 0 ? sum(inLogits.map((g, c) => g * at(theta.kernel1, h * outputs + c))) : 0));
    inLogits.forEach((g, c) => {
      increase('bias1', c, g);
      units.forEach((value, h) => increase('kernel1', h * outputs + c, value * g));
    });
    inUnits.forEach((g, h) => {
      increase('bias0', h, g);
      input.forEach((value, i) => increase('kernel0', i * hidden + h, value * g));
    });
  });
  const divisor = reduction === 'mean' ? weights.length : 1;
  return each((name) => total[name].map((value) => value / divisor));
}

const distance = (a: PlainParams, b: PlainParams) => sum(names.flatMap((name) => a[name].map((value, i) => (value - at(b[name], i)) ** 2)));

/** ‖θ_T − θ_D‖², over ‖θ_start − θ_D‖² if normalised. */
export function plainLoss(problem: PlainProblem): number {
  const { steps, stepSize, stretch, start, expert, normalise } = problem;
  let theta = start;
  for (let t = 0; t < steps; t++) {
    const g = gradient(problem, theta, 1 + stretch * (t + 1));
    const now: PlainParams = theta;
    theta = each((name) => now[name].map((value, i) => value - stepSize * at(g[name], i)));
  }
  return distance(theta, expert) / (normalise ? distance(start, expert) : 1);
}

/** Central differences of `plainLoss` in every number of one part; the step crosses no kink of a ReLU. */
export function plainGradient(problem: PlainProblem, part: 'x' | 'y' | 'weights' | 'stepSize', step = 1e-7): number[] {
  const moved = (i: number, h: number): number => {
    if (part === 'stepSize') return plainLoss({ ...problem, stepSize: problem.stepSize + h });
    return plainLoss({ ...problem, [part]: problem[part].map((value, j) => (i === j ? value + h : value)) });
  };
  const length = part === 'stepSize' ? 1 : problem[part].length;
  return range(length).map((i) => (moved(i, step) - moved(i, -step)) / (2 * step));
}
