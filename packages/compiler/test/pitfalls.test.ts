import { spawnSync } from 'node:child_process';
import { jsRuntime, trace } from '@bpc/compiler';
import { constant, logSumExp } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadFixture } from '../../../tooling/fixtures/load.js';
import { generate } from '../src/targets/js/assemble.js';
import { lowerGraph } from '../src/targets/js/lower.js';
import { compileToJs } from '../src/targets/js/target.js';
import { PRINTERS, random } from './helpers.js';
import { posteriors, readPosterior } from './posteriors.js';

afterEach(() => vi.restoreAllMocks());

/** Value and gradient of a density of one vector. */
async function evaluate(
  printer: (typeof PRINTERS)[number],
  logDensity: (p: { z: Tensor }) => Tensor,
  z: readonly number[],
): Promise<{ value: number; gradient: number[] }> {
  const density = await jsRuntime({ printer }).density(logDensity as (p: { z: Tensor }) => Scalar, { z: Float64Array.from(z) });
  const gradient = new Float64Array(z.length);
  const value = Number(density.evaluate(Float64Array.from(z), gradient));
  await density.dispose();
  return { value, gradient: [...gradient] };
}

const expectEach = (found: readonly number[], expected: readonly number[], relative: number) => {
  expect(found).toHaveLength(expected.length);
  expected.forEach((want, i) =>
    expect(Math.abs(found[i]! - want), `${i}: ${found[i]}, not ${want}`).toBeLessThanOrEqual(relative * Math.max(1, Math.abs(want))),
  );
};

// exp overflows from 710 and underflows from −746.
const EXTREMES = [-1000, -746, -710, -37, -1e-9, 0, 1e-9, 37, 710, 746, 1000];
const sigmoid = (z: number) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));
const softplus = (z: number) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));

describe.each(PRINTERS)('where exp overflows (%s)', (printer) => {
  // Short vectors become scalars, long ones loops.
  describe.each([
    ['scalars', EXTREMES],
    ['loops', Array.from({ length: 12 }, () => EXTREMES).flat()],
  ])('in %s', (_, z) => {
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

    it.each<[string, (z: Tensor) => Tensor]>([
      ['log(1 + exp(z))', (x) => tf.log(tf.add(1, tf.exp(x)))],
      ['softplus(z)', (x) => tf.softplus(x)],
      ['log1p(exp(z))', (x) => tf.log1p(tf.exp(x))],
    ])('%s and its gradient stay finite', async (_name, f) => {
      const { value, gradient } = await evaluate(printer, (p) => tf.sum(f(p.z)), z);
      expectEach([value], [sum(z.map(softplus))], 1e-14);
      expectEach(gradient, z.map(sigmoid), 1e-15);
    });

    it.each<[string, (z: Tensor) => Tensor]>([
      ['exp(z)/(1 + exp(z))', (x) => tf.div(tf.exp(x), tf.add(1, tf.exp(x)))],
      ['sigmoid(z)', (x) => tf.sigmoid(x)],
      ['1/(1 + exp(−z))', (x) => tf.div(1, tf.add(1, tf.exp(tf.neg(x))))],
    ])('%s and its gradient stay finite', async (_name, f) => {
      const { value, gradient } = await evaluate(printer, (p) => tf.sum(f(p.z)), z);
      expectEach([value], [sum(z.map(sigmoid))], 1e-14);
      expectEach(
        gradient,
        z.map((v) => sigmoid(v) * sigmoid(-v)),
        1e-15,
      );
    });

    it('logSumExp and its gradient keep their maximum', async () => {
      const { value, gradient } = await evaluate(printer, (p) => logSumExp(p.z), z);
      const ties = z.filter((v) => v === 1000).length;
      expectEach([value], [1000 + Math.log(ties)], 1e-15);
      expectEach(
        gradient,
        z.map((v) => (v === 1000 ? 1 / ties : 0)),
        1e-15,
      );
    });
  });

  it('where takes the value of its side alone, but NaN in the gradient of the other side survives, as in tfjs', async () => {
    const safeLog = (x: Tensor) => tf.where(tf.greater(x, 0), tf.log(x), tf.zerosLike(x));
    const z = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? -1 : 0) + i * 0.01);
    const { value, gradient } = await evaluate(printer, (p) => tf.sum(safeLog(p.z)), z);
    expectEach([value], [z.reduce((sum, v) => sum + (v > 0 ? Math.log(v) : 0), 0)], 1e-14);
    z.forEach((v, i) => expect(gradient[i]).toBeCloseTo(v > 0 ? 1 / v : 0, 12));
    // The gradient of √x at 0 is infinite, and 0 · ∞ is NaN wherever it is computed.
    const safeRoot = (x: Tensor) => tf.sum(tf.where(tf.greater(x, 0), tf.sqrt(x), tf.zerosLike(x)));
    const zeros = new Array<number>(100).fill(0);
    const eager = tf.grad(safeRoot)(tf.tensor(zeros)).dataSync();
    expect(eager.every(Number.isNaN)).toBe(true);
    const rooted = await evaluate(printer, (p) => safeRoot(p.z), zeros);
    expect(rooted.value).toBe(0);
    expect(rooted.gradient.every(Number.isNaN)).toBe(true);
  });
});

describe.each(PRINTERS)('float64 (%s)', (printer) => {
  const samplers = loadFixture<unknown>('samplers');
  const rows = (name: string, width: number) => {
    const flat = samplers.values(name);
    return Array.from({ length: flat.length / width }, (_, i) => [...flat.slice(i * width, (i + 1) * width)]);
  };

  it('of a logistic regression with data that a density is given agrees with the reference to 1e-10', async () => {
    const [X, y] = [rows('blr/data', 4), [...samplers.values('blr/labels')].map(Number)];
    const density = await jsRuntime({ printer }).density(
      ({ theta }: { theta: Tensor }, data: { X: Tensor; y: Tensor }) => {
        const margins = tf.mul(data.y, tf.reshape(tf.matMul(data.X, tf.reshape(theta, [4, 1])), [-1]));
        return tf.neg(tf.add(tf.sum(tf.log(tf.add(1, tf.exp(tf.neg(margins))))), tf.mul(0.5, tf.sum(tf.square(theta))))) as Scalar;
      },
      { theta: new Float64Array(4) },
      { X, y },
    );
    const gradient = new Float64Array(4);
    const energy = -Number(density.evaluate(Float64Array.from(samplers.values('blr/initial')), gradient));
    expectEach([energy], [...samplers.values('blr/initial_energy')], 1e-10);
    expectEach(
      [...gradient].map((g) => -g),
      [...samplers.values('blr/initial_gradient')],
      1e-10,
    );
  });

  it('of a Gaussian whose parameters are constants agrees with the reference to 1e-10', async () => {
    const { value, gradient } = await evaluate(
      printer,
      ({ z }) => {
        const [mean, precision] = [constant(samplers.values('gaussian/mean')), constant(samplers.values('gaussian/precision'))];
        return tf.mul(-0.5, tf.sum(tf.mul(precision, tf.square(tf.sub(z, mean)))));
      },
      [...samplers.values('gaussian/initial')],
    );
    expectEach([-value], [...samplers.values('gaussian/initial_energy')], 1e-10);
    expectEach(
      gradient.map((g) => -g),
      [...samplers.values('gaussian/initial_gradient')],
      1e-10,
    );
  });

  it('stays with data that the function makes by constant(), where captured tensors are float32', async () => {
    const name = 'arK-arK';
    const { like, data, logDensity } = posteriors[name]!();
    const { X, y } = data as { X: number[][]; y: number[][] };
    const checks: { u: number[]; log_density: number }[] = readPosterior(name, 'reference.json').check;
    /** Largest relative error of differences of the log density. */
    const errorWith = async (values: () => { X: Tensor; y: Tensor }) => {
      const density = await jsRuntime({ printer }).density((p: never) => logDensity(p, values() as never), like);
      const offsets = checks.map(({ u, log_density }) => {
        const value = Number(density.evaluate(Float64Array.from(u), new Float64Array(density.size)));
        return { offset: value - log_density, scale: Math.max(1, Math.abs(log_density)) };
      });
      return Math.max(...offsets.map(({ offset, scale }) => Math.abs(offset - offsets[0]!.offset) / scale));
    };
    expect(await errorWith(() => ({ X: constant(X), y: constant(y) }))).toBeLessThan(1e-10);
    const captured = { X: tf.tensor(X), y: tf.tensor(y) };
    expect(await errorWith(() => captured)).toBeGreaterThan(1e-9);
  });
});

it('the printers agree to rounding where they sum in other orders', async () => {
  const graph = trace((x: Tensor) => [tf.sum(tf.exp(x)), tf.sum(tf.sin(x), 0)], [random([300, 70])]).graph;
  const inputs = [Float64Array.from(random([300, 70]).dataSync())];
  const [reference, ...others] = PRINTERS.map((printer) => {
    const outputs = [new Float64Array(1), new Float64Array(70)];
    compileToJs(graph, { printer }).runSync(inputs, outputs);
    return outputs.flatMap((each) => [...each]);
  });
  for (const other of others) expectEach(other, reference!, 1e-13);
});

describe('generated JavaScript', () => {
  /** Above this, V8 leaves a function to its interpreter for ever. */
  const LIMIT = 60 * 1024;

  /** Bytes of bytecode of each generated function, as V8 itself tells them. */
  function bytecodeLengths(source: string, sizes: { inputs: readonly number[]; outputs: readonly number[] }, filter: string): number[] {
    const script = `
      const { source, inputs, outputs } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
      const run = new Function('kernels', 'geometries', 'constants', source)({}, [], []);
      run(inputs.map((n) => new Float64Array(n)), outputs.map((n) => new Float64Array(n)));`;
    const flags = ['--print-bytecode', `--print-bytecode-filter=${filter}`];
    const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, '-e', script], {
      input: JSON.stringify({ source, ...sizes }),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    expect(status, stderr).toBe(0);
    return [...stdout.matchAll(/^Bytecode length: (\d+)$/gm)].map(([, length]) => Number(length));
  }

  it('of a long straight line is cut into functions that V8 optimises, which one function would not be', () => {
    const { graph } = trace(
      (x: Tensor) => {
        let y = x;
        for (let i = 0; i < 400; i++) y = tf.add(tf.sin(tf.mul(y, 1 + i / 1000)), tf.mul(x, 0.5));
        return y;
      },
      [random([8])],
    );
    const { source } = generate(lowerGraph(graph));
    const lengths = bytecodeLengths(source, { inputs: [8], outputs: [8] }, 'part*');
    expect(lengths.length).toBe(source.match(/^function part\d+/gm)?.length);
    expect(Math.max(...lengths)).toBeLessThan(LIMIT);
    expect(lengths.reduce((a, b) => a + b, 0)).toBeGreaterThan(LIMIT);
  });

  it('of many loops with long bodies of one extent is not fused beyond what V8 optimises', () => {
    const { graph } = trace(
      (x: Tensor) =>
        Array.from({ length: 60 }, (_, k) => {
          let y: Tensor = tf.mul(x, 1 + k);
          for (let i = 0; i < 40; i++) y = tf.add(tf.sin(tf.mul(y, 1 + i / 64)), tf.mul(x, 0.5 + k));
          return tf.sum(y);
        }),
      [random([100])],
    );
    const { source } = generate(lowerGraph(graph));
    const lengths = bytecodeLengths(source, { inputs: [100], outputs: new Array(60).fill(1) }, 'part*');
    expect(lengths.length).toBeGreaterThan(1);
    expect(Math.max(...lengths)).toBeLessThan(LIMIT);
    expect(lengths.reduce((a, b) => a + b, 0)).toBeGreaterThan(LIMIT);
  });

  const totalOf = (length: number) => lowerGraph(trace((x: Tensor) => tf.sum(tf.exp(x)), [random([length])]).graph);

  it('is called with short loops before it is handed over, so that V8 has seen what is after them', () => {
    const exp = vi.spyOn(Math, 'exp');
    const { run } = generate(totalOf(1000));
    const warm = exp.mock.calls.length;
    // Hundreds of calls, but far fewer than even two whole loops each.
    expect(warm).toBeGreaterThan(200);
    expect(warm).toBeLessThan(10_000);
    const output = new Float64Array(1);
    run([new Float64Array(1000)], [output], 3);
    expect(output[0]).toBe(3);
    run([new Float64Array(1000)], [output]);
    expect(output[0]).toBe(1000);
  });

  it('has a text of its own after every compilation: V8 shares the code of equal texts, which makes it slower', () => {
    const [first, second] = [generate(totalOf(500)).source, generate(totalOf(500)).source];
    expect(first).not.toBe(second);
    const withoutSerial = (source: string) => source.replace(/\/\* program \d+ \*\//, '');
    expect(withoutSerial(first)).toBe(withoutSerial(second));
  });

  it('has no branch that depends on the data in sigmoid and softplus values', () => {
    const { source } = generate(
      lowerGraph(trace((x: Tensor) => [tf.sum(tf.sigmoid(x)), tf.sum(tf.sigmoid(tf.neg(x)))], [random([500])]).graph),
    );
    const body = source.slice(source.indexOf('for('));
    expect(body).toContain('Math.exp');
    expect(body).not.toContain('?');
  });
});

it('float32 lanes are close to float64, not equal to it: for optimisers, not for accept steps', async () => {
  const length = 5000;
  const z = Float64Array.from({ length }, (_, i) => 3 * Math.sin(i));
  const logDensity = (p: { z: Tensor }) => tf.sum(tf.log(tf.add(1, tf.exp(p.z)))) as Scalar;
  const run = async (options: Parameters<typeof jsRuntime>[0]) => {
    const density = await jsRuntime(options).density(logDensity, { z });
    const gradient = new Float64Array(length);
    return { value: Number(density.evaluate(z, gradient)), gradient };
  };
  const [exact, short] = [await run({ printer: 'javascript' }), await run({ precision: 'float32' })];
  expect(Math.abs(short.value / exact.value - 1)).toBeLessThan(1e-4);
  const errors = exact.gradient.map((g, i) => Math.abs(g - short.gradient[i]!));
  expect(Math.max(...errors)).toBeLessThan(1e-5);
  expect(Math.max(...errors)).toBeGreaterThan(1e-9);
});
