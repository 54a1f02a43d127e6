import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { onnxRuntime, registerOnnxBackend } from '@bpc/backend-onnx';
import { jsRuntime } from '@bpc/compiler';
import {
  type AugmentationGroup,
  applyAugmentation,
  type Batch,
  type Coreset,
  classTargets,
  contrastiveDivergence,
  contrastiveEstimate,
  crossEntropyEnergy,
  type Divergence,
  drawAugmentation,
  eagerRuntime,
  foldIn,
  type Key,
  key,
  langevin,
  langevinChain,
  learn,
  type Model,
  type Network,
  normal,
  normalLike,
  parseAugmentation,
  type Runtime,
  reduceEnergy,
  sampled,
  scan,
  sgd,
  split,
  supervised,
  type Tree,
  treeEntries,
} from '@bpc/core';
import { type ConvNetOptions, convNet } from '@bpc/models';
import { findBackendFactory, neg, ones, setBackend, type Tensor, type Tensor1D } from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';

/** Where one program may run: a tfjs backend that holds its tensors, and a runtime made on it. */
export interface Subject {
  readonly name: string;
  readonly open: () => Promise<Runtime>;
}

const on = async (backend: string, make: () => Runtime | Promise<Runtime>): Promise<Runtime> => {
  await setBackend(backend);
  return make();
};

async function eagerOnnx(): Promise<Runtime> {
  if (findBackendFactory('onnx') == null) await registerOnnxBackend({ ort });
  return on('onnx', eagerRuntime);
}

const subject = (name: string, open: () => Promise<Runtime>): Subject => ({ name, open });

/** Computes in float64, on numbers that float32 holds: what the others are compared with. */
export const reference = subject('js, generated JavaScript', () => on('cpu', () => jsRuntime({ printer: 'javascript' })));
export const subjects = {
  cpu: subject('tfjs cpu, eagerly', () => on('cpu', eagerRuntime)),
  wasm: subject('tfjs wasm, eagerly', () => on('wasm', eagerRuntime)),
  eagerOnnx: subject('tfjs onnx, eagerly', eagerOnnx),
  simd: subject('js, WebAssembly', () => on('cpu', () => jsRuntime({ printer: 'wasm' }))),
  interpreter: subject('js, interpreter', () => on('cpu', () => jsRuntime({ printer: 'interpreter' }))),
  onnx: subject('ONNX Runtime', () => on('cpu', () => onnxRuntime({ ort, threads: 1 }))),
};

/** Values of a tree by path, read in whichever way its backend allows. */
export async function valuesOf(tree: Tree): Promise<Map<string, Float32Array>> {
  const entries = await Promise.all(treeEntries(tree).map(async ([path, leaf]) => [path, Float32Array.from(await leaf.data())] as const));
  return new Map(entries);
}

/**
 * Largest deviation over what the fixtures' formula allows, `tol · max(max|r|, floor)`, or 1e-5 where the exact value is
 * zero. Above 1 is wrong.
 */
export function excess(found: ArrayLike<number> | undefined, exact: ArrayLike<number>, tolerance: number, floor = 1e-6): number {
  if (found?.length !== exact.length) return Number.POSITIVE_INFINITY;
  let [deviation, largest] = [0, 0];
  for (let i = 0; i < exact.length; i++) {
    const difference = Math.abs((found[i] as number) - (exact[i] as number));
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    deviation = Math.max(deviation, difference);
    largest = Math.max(largest, Math.abs(exact[i] as number));
  }
  return deviation / (largest === 0 ? 1e-5 : tolerance * Math.max(largest, floor));
}

/** A network, points, and the length of a chain. */
export interface Setting {
  readonly network: ConvNetOptions;
  readonly points: number;
  readonly steps: number;
}

/** Move the parameters visibly, so that differences of energies at both ends are no rounding. */
const settings = { stepSize: 0.02, temperature: 1e-4, sigma: 1e-2 };

/** The draws of a chain from `chainKey`, one row per step. */
const drawsOf = (chainKey: Key, like: Tree, steps: number): Tree =>
  scan((state: readonly Tree[], iteration) => [state, normalLike(iteration.key, like)] as const, [], undefined, {
    length: steps,
    key: chainKey,
  })[1] as Tree;

/** Programs whose results, and whose noise, must not depend on where they run; arguments are made on the current backend. */
export function problem({ network: options, points, steps }: Setting) {
  const network = convNet(options);
  const [height, width] = options.inputShape;
  const model: Model<Tree> = supervised({ network: network as unknown as Network<Tree>, energy: crossEntropyEnergy() });
  const makeCoreset = (): Coreset => ({
    x: normal(key(2), [points, ...options.inputShape]),
    y: classTargets(
      Array.from({ length: points }, (_, i) => i % options.outputs),
      options.outputs,
    ),
    weights: ones([points]) as Tensor1D,
  });
  return {
    /** What a step of contrastive divergence computes under an augmentation of `group`, with every number that it draws. */
    async estimate(runtime: Runtime, group: AugmentationGroup): Promise<Tree> {
      const { variant, inputs } = drawAugmentation(key(5), parseAugmentation(group), points, height, width);
      const program = runtime.compile((k: Key, coreset: Coreset, expert: Tree, draw: Tree): Tree => {
        const [expertKey, chainKey] = split(k, 2);
        const noise = normalLike(expertKey, expert);
        const learnable = { x: true, y: true, weights: true };
        const augment = (x: Tensor) => applyAugmentation(variant, x, draw);
        const input = { model, coreset, learnable, expert, augment };
        const estimate = contrastiveEstimate(input, { expert: noise, chain: chainKey }, { ...settings, steps });
        return { result: estimate as unknown as Tree, noise: { expert: noise, chain: drawsOf(chainKey, expert, steps) } };
      });
      return program(key(3), makeCoreset(), model.init(key(1)), inputs);
    },
    /** An estimate of a divergence that looks at an earlier snapshot, real data and a state, as far as it needs them. */
    async divergence(runtime: Runtime, divergence: Divergence, group: AugmentationGroup): Promise<Tree> {
      const { variant, inputs } = drawAugmentation(key(5), parseAugmentation(group), points, height, width);
      const program = runtime.compile((k: Key, coreset: Coreset, real: Batch, expert: Tree, start: Tree, draw: Tree): Tree => {
        const learnable = { x: true, y: true, weights: true };
        const augment = (x: Tensor) => applyAugmentation(variant, x, draw);
        const state = divergence.init === undefined ? {} : { state: divergence.init(k, model) };
        return { ...divergence.estimate(k, { model, coreset, learnable, expert, start, real, dataCount: 60, augment, ...state }) } as Tree;
      });
      const { x, y } = { x: normal(key(8), [10, ...options.inputShape]), y: classTargets([0, 1, 2, 0, 1, 2, 0, 1, 2, 0], options.outputs) };
      return program(key(3), makeCoreset(), { x, y }, model.init(key(1)), model.init(key(2)), inputs);
    },
    /** The inputs after one turn of `learn`. */
    async learned(runtime: Runtime, group: AugmentationGroup): Promise<Tree> {
      const experts = { count: 1, epochs: 1, load: async () => model.init(key(1)) };
      const objective = sampled(contrastiveDivergence({ ...settings, steps }), { model, experts, augment: parseAugmentation(group) });
      const optimizer = sgd({ learningRate: 10, momentum: 0.5 });
      return { x: (await learn({ objective, coreset: makeCoreset(), optimizer, runtime, steps: 1, key: key(4) }).collect()).x };
    },
    /** One step of each sampler and a chain, with what they draw. */
    async sampled(runtime: Runtime, seed = 6): Promise<Tree> {
      const program = runtime.compile((k: Key, coreset: Coreset, start: Tree): Tree => {
        const energy = (theta: Tree) => reduceEnergy(neg(model.logLikelihood(theta, coreset)), coreset.weights, 'mean');
        const { init, step } = langevin<Tree>({ ...settings, energy });
        const [state, info] = step(k, init(start, k));
        const chainKey = foldIn(k, 7);
        const chain = langevinChain(start, chainKey, { ...settings, energy, steps });
        const result = { state, info, chain } as unknown as Tree;
        return { result, noise: { step: normalLike(k, start), chain: drawsOf(chainKey, start, steps) } };
      });
      return program(key(seed), makeCoreset(), model.init(key(1)));
    },
  };
}

/** Every result of `found` that the reference does not allow, by path; noise must have equal bits. */
export async function differences(found: Tree, exact: ReadonlyMap<string, Float32Array>, tolerance: number): Promise<string[]> {
  const values = await valuesOf(found);
  const wrong = [...exact].flatMap(([path, want]) => {
    const have = values.get(path);
    if (path.startsWith('noise/')) return have !== undefined && equalBits(have, want) ? [] : [`${path}: other noise`];
    const times = excess(have, want, tolerance);
    return times <= 1 ? [] : [`${path}: ${times.toPrecision(3)} times what is allowed`];
  });
  return values.size === exact.size ? wrong : [...wrong, `${values.size} results, expected ${exact.size}`];
}

function equalBits(a: Float32Array, b: Float32Array): boolean {
  const [x, y] = [new Uint32Array(a.buffer, a.byteOffset, a.length), new Uint32Array(b.buffer, b.byteOffset, b.length)];
  return x.length === y.length && x.every((word, i) => word === y[i]);
}

/** A program's result on a subject that is opened for it alone. */
export async function runOn<R>({ open }: Subject, program: (runtime: Runtime) => Promise<R>): Promise<R> {
  const runtime = await open();
  try {
    return await program(runtime);
  } finally {
    await runtime.dispose();
  }
}
