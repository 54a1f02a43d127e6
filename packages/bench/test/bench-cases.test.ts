import { describe, expect, it } from 'vitest';
import { timedCases, whySkipped } from '../src/bench-support/cd-step/cases.js';
import { compareTensors } from '../src/bench-support/cd-step/compare-tensors.js';
import { cdStepOptions } from '../src/bench-support/cd-step/options.js';
import { loadMeter, tooBusy } from '../src/bench-support/load.js';

const casesOf = (...args: string[]) => timedCases(cdStepOptions(args));

describe('the cases of cd-step', () => {
  it('are each batch size with each number of threads, then chains, outer steps and shapes with the most threads', () => {
    expect(casesOf('--threads', '2,1', '--ipc', '1,10').map(({ name }) => name)).toEqual([
      'batch 10, 1 thread',
      'batch 10, 2 threads',
      'batch 100, 1 thread',
      'batch 100, 2 threads',
      '2 chains, gradients, batch 10, 1 thread each',
      '2 chains, Langevin steps, batch 10, 1 thread each',
      'outer step, k = 10, 1 per class, 2 threads',
      'outer step, k = 10, 10 per class, 2 threads',
      'ConvNet D3 W128, 28x28x1, batch 10, 2 threads',
      'ConvNet D4 W128, 64x64x3, batch 10, 2 threads',
      'ResNet18, 32x32x3, batch 10, 2 threads',
      'VGG11, 32x32x3, batch 10, 2 threads',
    ]);
  });

  it('are fewer with --quick, unless options say otherwise', () => {
    expect(casesOf('--quick', '--cases', 'gradients').map(({ name }) => name)).toEqual(['batch 10, 2 threads']);
    expect(casesOf('--quick', '--cases', 'gradients', '--batches', '3').map(({ name }) => name)).toEqual(['batch 3, 2 threads']);
    expect(cdStepOptions(['--quick', '--rounds', '9']).rounds).toBe(9);
  });

  it('have the goals of the network that they are about, and none at other widths', () => {
    const goals = (...args: string[]) => casesOf(...args).map(({ goalOf }) => ['torch-compile', 'torch-eager', 'jax'].map(goalOf));
    expect(goals('--cases', 'gradients', '--batches', '10')).toEqual([
      [0.7, 0.55, 0.55],
      [0.8, 0.55, 0.55],
    ]);
    expect(goals('--cases', 'shapes', '--shapes', 'vgg11')).toEqual([[1, undefined, undefined]]);
    expect(goals('--cases', 'gradients', '--batches', '10', '--threads', '1', '--width', '64')).toEqual([
      [undefined, undefined, undefined],
    ]);
  });

  it('have tfjs with one number of threads only, and two processes for a peer’s chains', () => {
    const subjects = casesOf('--cases', 'gradients', '--batches', '10').map(({ contestants }) => contestants.map(({ subject }) => subject));
    expect(subjects.map((names) => names.includes('tfjs:wasm'))).toEqual([true, false]);
    const [chains] = casesOf('--cases', 'chains');
    expect(chains?.contestants.map(({ subject, commands }) => [subject, commands.length])).toEqual([
      ['onnx:cpu', 1],
      ['torch-eager', 2],
    ]);
  });

  it('are left out when none of the subjects can do them', () => {
    expect(casesOf('--subjects', 'jax').map(({ kind }) => kind)).toEqual(['gradients', 'gradients', 'gradients', 'gradients']);
  });
});

describe('what takes minutes a step', () => {
  it('is left out of larger batches, saying how long it would take', () => {
    expect(whySkipped(5_100, 100)).toMatch(/about 510 s a step.*--slow/);
    expect(whySkipped(5_100, 10)).toBeUndefined();
    expect(whySkipped(undefined, 100)).toBeUndefined();
  });
});

describe('comparing tensors', () => {
  const tensors = (values: Readonly<Record<string, number[]>>) =>
    new Map(
      Object.entries(values).map(([name, data]) => [name, { dtype: 'F64' as const, shape: [data.length], data: Float64Array.from(data) }]),
    );

  it('finds the worst tensor by its own norm, not by that of the whole', () => {
    const exact = tensors({ large: [300, 400], small: [0.3, 0.4] });
    expect(compareTensors(exact, tensors({ large: [300, 400.5], small: [0.3, 0.41] }))).toEqual({
      worst: expect.closeTo(0.02, 10),
      where: 'small',
      zero: undefined,
    });
  });

  it('measures what is exactly zero against everything', () => {
    const found = compareTensors(tensors({ a: [3, 4], bias: [0, 0] }), tensors({ a: [3, 4], bias: [0, 5e-6] }));
    expect(found).toEqual({ worst: 0, where: 'none', zero: expect.closeTo(1e-6, 12) });
  });

  it('takes NaN for the worst, and refuses tensors that are not there', () => {
    const exact = tensors({ a: [1], b: [1] });
    expect(compareTensors(exact, tensors({ a: [Number.NaN], b: [2] })).worst).toBeNaN();
    expect(() => compareTensors(exact, tensors({ a: [1] }))).toThrow(/'b'/);
    expect(() => compareTensors(exact, tensors({ a: [1], b: [1, 2] }))).toThrow(/'b'/);
  });
});

describe('the load meter', () => {
  it('keeps the first, the last and the highest value of each case', () => {
    const values = [0.5, 1, 3, 2, 4, 0.25];
    const meter = loadMeter(() => values.shift() ?? Number.NaN);
    for (const name of ['a', 'a', 'a', 'b']) meter.note(name);
    expect(meter.record()).toEqual({ start: 0.5, end: 0.25, highest: { a: 3, b: 4 } });
  });

  it('calls a machine busy from half a process per core on', () => {
    expect(tooBusy(1, 2)).toBeUndefined();
    expect(tooBusy(1.1, 2)).toMatch(/1\.1 on 2 cores/);
    expect(tooBusy(1.1, 16)).toBeUndefined();
  });
});
