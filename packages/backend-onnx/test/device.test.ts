import '@tensorflow/tfjs-backend-cpu';
import { jsRuntime, trace } from '@bpc/compiler';
import { ConfigError, crossEntropy, grad, key, type Runtime } from '@bpc/core';
import { type ConvNetParams, convNet } from '@bpc/models';
import { cast, matMul, mean, mul, setBackend, type Tensor, tensor, tensor1d, zeros } from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import { beforeAll, describe, expect, it } from 'vitest';
import { deviceSteps, largestDeviation, type Numbers } from '../../../tooling/device-steps.js';
import { type OnnxOptions, type OrtModule, onnxRuntime } from '../src/index.js';
import { lowerGraph } from '../src/lower/lower.js';
import { type LoweringOptions, loweringFor } from '../src/lower/lowering-options.js';
import { resolveOptions } from '../src/options.js';
import { isWeb } from '../src/providers.js';
import { loadExecutable } from '../src/session.js';
import { graph, input, node, noise, provider, relativeError } from './graphs.js';

beforeAll(async () => {
  await setBackend('cpu');
});

const references = new Map<string, Promise<Numbers>>();
/** The step in float64 arithmetic, by generated JavaScript. */
function reference(step: (typeof deviceSteps)[number]): Promise<Numbers> {
  const known = references.get(step.name) ?? step.run(jsRuntime({ printer: 'javascript' }));
  references.set(step.name, known);
  return known;
}

async function using<T>(options: Partial<OnnxOptions>, work: (runtime: Runtime) => Promise<T>): Promise<T> {
  const runtime = await onnxRuntime({ ort, threads: 1, executionProviders: [provider], ...options });
  try {
    return await work(runtime);
  } finally {
    await runtime.dispose();
  }
}

describe.each([['winograd'], ['direct']] as const)(`on onnx:${provider}, convolutions written as '%s'`, (convolution) => {
  it.each(deviceSteps.map((step) => [step.name, step] as const))(
    'a %s gives the numbers of float64 arithmetic to 1e-3',
    async (_, step) => {
      const found = await using({ convolution }, (runtime) => step.run(runtime));
      expect(largestDeviation(found, await reference(step))).toBeLessThan(provider === 'cpu' ? 1e-4 : 1e-3);
    },
  );
});

it.each([
  [[2, 3], [2, 4], true, false],
  [[3, 2], [4, 2], false, true],
  [[2, 3], [4, 2], true, true],
  [[5, 2, 3], [5, 2, 4], true, false],
  [[2, 2, 4, 3], [2, 2, 5, 3], false, true],
] as const)('products of %j and %j, transposed %s and %s, need no product that takes transposed operands', async (a, b, ta, tb) => {
  const [x, y] = [input(0, a), input(1, b)];
  const [rows, columns] = [a.at(ta ? -1 : -2) ?? 0, b.at(tb ? -2 : -1) ?? 0];
  const product = graph([x, y], [node('MatMul', [x, y], { transposeA: ta, transposeB: tb }, [...a.slice(0, -2), rows, columns])]);
  const plain = lowerGraph(product, 'test', loweringFor('webgpu'));
  expect(plain.model.nodes.map(({ op, domain }) => domain + op)).not.toContain('com.microsoftFusedMatMul');
  const executable = await loadExecutable(product, plain, ort, resolveOptions({ ort, executionProviders: [provider] }).session);
  const data = [noise(a, 1), noise(b, 2)] as const;
  const [found = []] = await executable.run(data);
  await executable.dispose();
  const expected = matMul(tensor(data[0], [...a]), tensor(data[1], [...b]), ta, tb).dataSync();
  expect(relativeError(found, expected)).toBeLessThan(1e-6);
});

it.each(['avg', 'max'] as const)('a gradient with %s pooling has no operation without a WebGPU kernel', (pool) => {
  const network = convNet({ inputShape: [8, 8, 3], outputs: 2, depth: 2, width: 4, pool });
  const loss = (params: ConvNetParams, x: Tensor, y: Tensor) => mean(crossEntropy(network.apply(params, x), y));
  const fn = (params: ConvNetParams, x: Tensor, y: Tensor) => grad((p: ConvNetParams) => loss(p, x, y))(params);
  const { graph: traced } = trace(fn, [network.init(key(0)), zeros([2, 8, 8, 3]), zeros([2, 2])] as const, { target: 'test' });
  const used = (options: LoweringOptions) => new Set(lowerGraph(traced, 'test', options).model.nodes.map(({ op }) => op));
  // What ONNX Runtime's profiler saw on the host.
  const onHost = ['FusedMatMul', 'IsNaN', 'Or', 'Sum', 'HardSigmoid', 'Sign', 'Round', 'Mod'];
  expect(onHost.filter((op) => used(loweringFor('webgpu')).has(op))).toEqual([]);
  expect(onHost.filter((op) => used(loweringFor('cpu')).has(op))).not.toEqual([]);
});

it('values of a declared type are passed whatever array holds them: tfjs keeps integers cast to float32 in an Int32Array', async () => {
  const found = await using({}, async (runtime) => {
    const program = runtime.compile((x: Tensor) => mul(x, 0.5));
    return program(cast(tensor1d([1, 2, 3], 'int32'), 'float32'));
  });
  expect([...found.dataSync()]).toEqual([0.5, 1, 1.5]);
});

it('the comparison notices a wrong number, a missing tensor and a NaN', () => {
  const expected = { a: [1, 2], b: [0] };
  expect(largestDeviation({ a: [1, 2], b: [0] }, expected)).toBe(0);
  expect(largestDeviation({ a: [1, 2.01], b: [0] }, expected)).toBeCloseTo(0.005, 6);
  expect(largestDeviation({ a: [1, 2] }, expected)).toBe(Number.POSITIVE_INFINITY);
  expect(largestDeviation({ a: [1, 2], b: [Number.NaN] }, expected)).toBe(Number.POSITIVE_INFINITY);
});

describe('providers', () => {
  const failing = (name: string, module: object = {}): OrtModule => ({
    ...ort,
    listSupportedBackends: () => [{ name, bundled: false }],
    InferenceSession: { create: async () => Promise.reject(new Error('/src/a.cc:1 void f() x was false. no device\n')) },
    ...module,
  });

  it.each([
    ['cuda', /'cuda' does not start: no device$/, /CUDA 12.*cuDNN 9.*npm rebuild onnxruntime-node --ignore-scripts=false/],
    ['webgpu', /'webgpu' does not start: no device$/, /libvulkan1.*vulkaninfo/],
    ['tensorrt', /does not start/, /TensorRT/],
    ['qnn', /does not start/, /pass \['cpu'\]/],
  ])('%s that does not start is refused with the packages that it needs', async (name, message, remedy) => {
    const error = await onnxRuntime({ ort: failing(name), executionProviders: [name] }).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ConfigError);
    const { message: text, remedy: what } = error as ConfigError;
    expect(text.replace(` (${what})`, '')).toMatch(message);
    expect(what).toMatch(remedy);
  });

  it('a provider that the package leaves out is tried without its complaints on the terminal; the level is restored', async () => {
    const levels: unknown[] = [];
    const env = { versions: ort.env.versions, logLevel: 'warning' as const };
    const create = async () => {
      levels.push(env.logLevel);
      throw new Error('no library');
    };
    await onnxRuntime({ ort: failing('cuda', { env, InferenceSession: { create } }), executionProviders: ['cuda'] }).catch(() => undefined);
    expect([levels, env.logLevel]).toEqual([['fatal'], 'warning']);
  });

  it('graphs are written for the provider: direct convolutions and plain products where those are what it has', async () => {
    const describeOf = async (options: Partial<OnnxOptions>) => using(options, async (runtime) => runtime.describe());
    expect(await describeOf({ executionProviders: ['cpu'] })).toMatchObject({ provider: 'cpu', convolution: 'winograd' });
    expect(await describeOf({ executionProviders: ['cpu'], convolution: 'direct' })).toMatchObject({ convolution: 'direct' });
    await expect(onnxRuntime({ ort, convolution: 'fast' as never })).rejects.toThrow(/convolution is 'fast'/);
  });

  it('onnxruntime-web is recognised by its versions, and gets wasm by default', () => {
    const web = { ...ort, env: { versions: { common: '1', web: '1' } } } as OrtModule;
    expect([isWeb(web), isWeb(ort)]).toEqual([true, false]);
  });
});
