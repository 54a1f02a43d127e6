import '@tensorflow/tfjs-backend-cpu';
import { type Node, topologicalOrder } from '@bpc/compiler';
import { BpcError, ConfigError, cholesky, disposeTree, grad, gradDot, MissingKernelError, scope, triangularSolve } from '@bpc/core';
import type { Scalar, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { add, conv2d, matMul, memory, mul, relu, reshape, setBackend, square, sum, tensor, tensor1d } from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { type OnnxOptions, type OrtModule, onnxRuntime, onnxTarget } from '../src/index.js';
import { evaluate, graph, input, node, noise, relativeError, target } from './graphs.js';

beforeAll(async () => {
  await setBackend('cpu');
});

/** An ONNX Runtime that counts the sessions that are open. */
function counting(): { readonly module: OrtModule; open(): number } {
  let open = 0;
  const create = async (model: Uint8Array, options: object) => {
    const session = await ort.InferenceSession.create(model, options);
    open++;
    const release = session.release.bind(session);
    return Object.assign(session, {
      release: async () => {
        open--;
        await release();
      },
    });
  };
  return { module: { ...ort, InferenceSession: { create } }, open: () => open };
}

describe('options', () => {
  const bad: readonly (readonly [string, object, RegExp])[] = [
    ['no module', { ort: undefined }, /ort is undefined/],
    ['something else as module', { ort: {} }, /ort is/],
    ['0 threads', { ort, threads: 0 }, /threads is 0/],
    ['1.5 threads', { ort, threads: 1.5 }, /threads is 1\.5/],
    ['threads as text', { ort, threads: '2' }, /threads is '2'/],
    ['an unknown provider', { ort, executionProviders: ['abacus'] }, /executionProviders names 'abacus'.*has cpu/],
    ['no provider', { ort, executionProviders: [] }, /executionProviders is \[\]/],
    ['an unknown option', { ort, thread: 2 }, /unknown option 'thread'.*threads/],
    ['spinning as text', { ort, spinning: 'no' }, /spinning is 'no'/],
    ['an unknown level', { ort, graphOptimizationLevel: 'most' }, /graphOptimizationLevel is 'most'/],
  ];
  it.each(bad)('%s is refused with the option, the value and a remedy', async (_, options, message) => {
    expect(() => onnxTarget(options as OnnxOptions)).toThrow(ConfigError);
    expect(() => onnxTarget(options as OnnxOptions)).toThrow(message);
    await expect(onnxRuntime(options as OnnxOptions)).rejects.toThrow(message);
  });

  it('a provider that does not start is refused when the runtime is made', async () => {
    const broken: OrtModule = { ...ort, InferenceSession: { create: async () => Promise.reject(new Error('no device')) } };
    await expect(onnxRuntime({ ort: broken })).rejects.toThrow(/executionProviders: 'cpu' does not start: no device/);
  });

  it('describes provider, threads and version', async () => {
    const runtime = await onnxRuntime({ ort, threads: 1 });
    expect(runtime.name).toBe('onnx:cpu');
    expect(runtime.describe()).toMatchObject({ provider: 'cpu', threads: 1, spinning: true, onnxruntime: ort.env.versions.node });
    expect(onnxTarget({ ort }).describe()).toMatchObject({ threads: 'auto' });
    await runtime.dispose();
  });
});

describe('programs', () => {
  it('an operation without a lowering is named, with the function and a remedy, when lowering', async () => {
    const x = input(0, [2]);
    const unknown = { ...node('Neg', [x], {}, [2]), op: 'Bessel' } as unknown as Node;
    const lowering = target.lower(graph([x], [unknown], 'besselLoss'));
    await expect(lowering).rejects.toThrow(MissingKernelError);
    await expect(lowering).rejects.toMatchObject({ kernel: 'Bessel', target: 'onnx:cpu', message: /besselLoss.*jsRuntime/ });
  });

  it('the Cholesky factor is refused with its name, the function and where it runs', async () => {
    const runtime = await onnxRuntime({ ort, threads: 1 });
    const evidence = ({ a }: { a: Tensor }) => sum(cholesky(a)) as Scalar;
    for (const refused of [
      runtime.density(evidence, { a: [[1]] }),
      runtime.compile(evidence).prepare({
        a: tensor([
          [1, 0],
          [0, 1],
        ]),
      }),
    ]) {
      await expect(refused).rejects.toThrow(MissingKernelError);
      await expect(refused).rejects.toMatchObject({ kernel: 'Cholesky', target: 'onnx:cpu', message: /evidence.*jsRuntime.*eager/ });
    }
    await expect(runtime.mapping(({ a }: { a: Tensor }) => triangularSolve(a, a), { a: [[1]] })).rejects.toMatchObject({
      kernel: 'TriangularSolve',
    });
    await runtime.dispose();
  });

  it('outputs are fresh, alias neither inputs nor each other, and inputs stay as they are', async () => {
    const x = input(0, [3]);
    const executable = await target.lower(graph([x], [x, node('Add', [x, x], {}, [3])]));
    const given = Float32Array.from([1, 2, 3]);
    const [first, double] = await executable.run([given]);
    const [second] = await executable.run([given]);
    first?.fill(9);
    expect([Array.from(given), Array.from(second ?? []), Array.from(double ?? [])]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [2, 4, 6],
    ]);
    await executable.dispose();
  });

  it('float64 inputs are rounded to float32, int32 and bool inputs stay exact', async () => {
    const [x, i, b] = [input(0, [1]), input(1, [1], 'int32'), input(2, [1], 'bool')];
    const executable = await target.lower(graph([x, i, b], [x, i, b]));
    const results = await executable.run([Float64Array.from([0.1]), Int32Array.from([2 ** 31 - 1]), Uint8Array.from([1])]);
    expect(results.map((values) => values[0])).toEqual([Math.fround(0.1), 2 ** 31 - 1, 1]);
    expect(results.map((values) => values.constructor)).toEqual([Float32Array, Int32Array, Uint8Array]);
    await executable.dispose();
  });

  it('an input of the wrong length is refused before it reaches ONNX Runtime', async () => {
    const x = input(0, [3]);
    const executable = await target.lower(graph([x], [node('Neg', [x], {}, [3])], 'negate'));
    await expect(executable.run([new Float32Array(2)])).rejects.toThrow(/'negate' got 2 values as input 0, expected 3/);
    await expect(executable.run([])).rejects.toThrow(BpcError);
    await executable.dispose();
    await expect(executable.run([new Float32Array(3)])).rejects.toThrow(/disposed/);
  });

  it('dispose waits for a running call, and may be called twice', async () => {
    const x = input(0, [2]);
    const executable = await target.lower(graph([x], [node('Neg', [x], {}, [2])]));
    const running = executable.run([Float32Array.from([1, 2])]);
    await Promise.all([executable.dispose(), executable.dispose()]);
    expect(Array.from((await running)[0] ?? [])).toEqual([-1, -2]);
  });

  it('a chain of 5000 operations lowers without exhausting the stack', async () => {
    const x = input(0, [1]);
    let value: Node = x;
    for (let i = 0; i < 5000; i++) value = node(i % 2 ? 'Neg' : 'Abs', [value], {}, [1]);
    expect(topologicalOrder([value])).toHaveLength(5001);
    const [result] = await evaluate(graph([x], [value]), [Float32Array.from([3])]);
    expect(result).toEqual([-3]);
  });

  it('leaves the floating-point mode of the calling thread alone', async () => {
    await evaluate(graph([], [node('Neg', [node('Const', [], { values: [1] }, [1])], {}, [1])]), []);
    // Not a literal product, which the compiler would fold.
    const scale = Number('3');
    expect(Number.MIN_VALUE * scale).toBeGreaterThan(0);
  });
});

describe('resources', () => {
  const energy = (w: Tensor, x: Tensor) => sum(square(relu(matMul(x as never, w as never))));

  it('sessions and tensors stay flat over 100 calls, and are all released', async () => {
    const { module, open } = counting();
    const runtime = await onnxRuntime({ ort: module, threads: 1 });
    const probes = open();
    const program = runtime.compile((w: Tensor, x: Tensor) => grad(energy)(w, x));
    const [w, x] = [tensor(noise([4, 3]), [4, 3]), tensor(noise([5, 4], 2), [5, 4])];
    const before = memory().numTensors;
    for (let call = 0; call < 100; call++) disposeTree(await program(w, x));
    expect(open()).toBe(probes + 1);
    expect(memory().numTensors).toBe(before);
    await runtime.dispose();
    expect(open()).toBe(probes);
  });

  it('memory stays flat over many calls with large outputs', async () => {
    const x = input(0, [1 << 18]);
    const executable = await target.lower(graph([x], [node('Neg', [x], {}, [1 << 18])]));
    const data = new Float32Array(1 << 18);
    for (let call = 0; call < 50; call++) await executable.run([data]);
    const before = process.memoryUsage.rss();
    for (let call = 0; call < 400; call++) await executable.run([data]);
    // 400 outputs are 420 MB; the collector may keep some of them for a while.
    expect(process.memoryUsage.rss() - before).toBeLessThan(210e6);
    await executable.dispose();
  });

  it('two runtimes work side by side, calls interleaved', async () => {
    const [one, two] = await Promise.all([onnxRuntime({ ort, threads: 1 }), onnxRuntime({ ort, threads: 1, spinning: false })]);
    const [f, g] = [one.compile((x: Tensor) => square(x)), two.compile((x: Tensor) => add(x, 1))];
    const x = tensor1d([1, 2, 3]);
    const results = await Promise.all([f(x), g(x), f(mul(x, 2)), g(mul(x, 2))]);
    expect(results.map((result) => Array.from(result.dataSync()))).toEqual([
      [1, 4, 9],
      [2, 3, 4],
      [4, 16, 36],
      [3, 5, 7],
    ]);
    await one.dispose();
    expect(Array.from((await g(x)).dataSync())).toEqual([2, 3, 4]);
    await two.dispose();
  });
});

describe('Winograd layers', () => {
  it('agree with tfjs cpu in gradients and in a second derivative through three of them', async () => {
    const shapes = [
      [3, 3, 2, 16],
      [3, 3, 16, 17],
      [3, 3, 17, 16],
      [16 * 36, 1],
    ];
    const weights = shapes.map((shape, i) =>
      tensor(
        noise(shape, i + 3).map((v) => v / 4),
        shape,
      ),
    );
    const direction = shapes.map((shape, i) => tensor(noise(shape, i + 13), shape));
    const images = tensor(noise([2, 6, 6, 2], 1), [2, 6, 6, 2]);
    const network = (params: readonly Tensor[], x: Tensor) => {
      const [a, b, c, d] = params as [Tensor4D, Tensor4D, Tensor4D, Tensor];
      // Smooth, so that rounding cannot flip a kink.
      const act = (value: Tensor) => mul(value, add(1, mul(0.1, value)));
      const features = [a, b, c].reduce((value, filter) => act(conv2d(value as Tensor4D, filter, 1, 'same')), x);
      return sum(square(matMul(reshape(features, [2, -1]), d as never)));
    };
    const both = (params: readonly Tensor[], v: readonly Tensor[], x: Tensor) => ({
      gradient: grad((p: readonly Tensor[]) => network(p, x))(params),
      mixed: grad((z: Tensor) => gradDot((p: readonly Tensor[]) => network(p, z))(params, v))(x),
    });
    const expected = scope(() => both(weights, direction, images));
    const runtime = await onnxRuntime({ ort, threads: 1 });
    const found = await runtime.compile(both)(weights, direction, images);
    found.gradient.forEach((value, i) =>
      expect(relativeError(value.dataSync(), expected.gradient[i]?.dataSync() ?? [])).toBeLessThanOrEqual(1e-5),
    );
    expect(relativeError(found.mixed.dataSync(), expected.mixed.dataSync())).toBeLessThanOrEqual(1e-5);
    await runtime.dispose();
  });
});
