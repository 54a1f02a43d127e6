import '@tensorflow/tfjs-backend-cpu';
import { onnxRuntime } from '@bpc/backend-onnx';
import { compiledRuntime, jsRuntime, jsTarget } from '@bpc/compiler';
import { BpcError, eagerRuntime, type Key, key, normal, type Program, type Runtime, scan, type Tree, valueAndGrad } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'nothing was thrown',
    (error: unknown) => error,
  );

/** What must be the same before and after anything that fails. */
const state = () => {
  const { gradientDepth, kernelDepth, activeTape, scopeStack } = tf.engine().state;
  const backends = tf
    .engine()
    .backendNames()
    .filter((name) => name.startsWith('bpc-trace') || name === 'cpu')
    .map((name) => [name, tf.findBackend(name)?.numDataIds()]);
  return {
    backend: tf.getBackend(),
    tensors: tf.memory().numTensors,
    gradientDepth,
    kernelDepth,
    tape: activeTape?.length ?? 0,
    scopes: scopeStack.length,
    backends,
  };
};

const mine = new TypeError('mine');
const fail = (): never => {
  throw mine;
};
/** Throws when there is something to clean up. */
const failAfter = (_: Tensor): never => fail();
const scalarOf = (x: Tensor) => tf.sum(tf.exp(x)) as Scalar;
const xs = () => tf.tensor1d([0.5, 1, 2]);

type Fn = (x: Tensor) => Tree;
/** Functions that throw `mine` somewhere deep. */
const throwing: Readonly<Record<string, Fn>> = {
  'at once': () => fail(),
  'after some operations, one of them kept': (x) => [tf.keep(tf.exp(x)), tf.tidy(() => fail())],
  'inside a gradient': (x) => valueAndGrad((p: Tensor) => failAfter(tf.exp(tf.sin(p))))(x).grad,
  'inside a gradient of a gradient': (x) =>
    valueAndGrad((p: Tensor) => tf.sum(valueAndGrad((q: Tensor) => failAfter(scalarOf(tf.mul(q, p))))(p).grad))(x).grad,
  'inside a rule of a gradient': (x) =>
    valueAndGrad((p: Tensor) => tf.sum(tf.customGrad((q) => ({ value: tf.exp(q as Tensor), gradFunc: () => fail() }))(p)))(x).grad,
  'in the body of a scan': (x) => scan((s: Tensor) => failAfter(tf.exp(s)), x, undefined, { length: 3 })[0],
  'in a scan in a scan, inside a gradient': (x) =>
    scan(
      (s: Tensor) => [scan((t: Tensor) => [valueAndGrad((p: Tensor) => failAfter(scalarOf(p)))(t).grad], s, undefined, { length: 2 })[0]],
      x,
      undefined,
      { length: 3 },
    )[0],
  'in a function that it calls': (x) => {
    const inner = (y: Tensor) =>
      tf.tidy(() =>
        tf.mul(
          tf.exp(y),
          tf.tidy(() => fail()),
        ),
      );
    return inner(tf.square(x));
  },
};

const runtimes: readonly (readonly [string, () => Runtime | Promise<Runtime>])[] = [
  ['js', () => jsRuntime()],
  ['ONNX Runtime', () => onnxRuntime({ ort, threads: 1 })],
  ['tfjs cpu, eagerly', () => eagerRuntime()],
];

describe.each(runtimes)('on %s', (name, open) => {
  const compiled = !name.includes('eagerly');
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await open();
  });
  // The tracing backend is registered at the first trace.
  beforeAll(async () => tf.dispose(await runtime.compile((x: Tensor) => tf.exp(x))(tf.scalar(1))));
  afterAll(() => runtime.dispose());

  it.each(Object.entries(throwing))('a function that throws %s throws that very error, and leaves nothing behind', async (_, fn) => {
    const x = xs();
    const program = runtime.compile(fn);
    const kept = name.includes('eagerly') && fn === throwing['after some operations, one of them kept'];
    const before = state();
    for (let i = 0; i < 3; i++) expect(await failure(program(x))).toBe(mine);
    // Eagerly, what a function keeps is kept: it asked for it.
    if (!kept) expect(state()).toEqual(before);
    else expect(tf.memory().numTensors).toBe(before.tensors + 3);
    const works = runtime.compile((y: Tensor) => valueAndGrad(scalarOf)(y));
    const { value, grad } = await works(x);
    expect(value.dataSync()[0]).toBeCloseTo(Math.exp(0.5) + Math.E + Math.exp(2), 4);
    tf.dispose([value, grad, x]);
    await Promise.all([program.dispose(), works.dispose()]);
  });

  const bad: readonly (readonly [string, (program: Program<[Tensor], Tensor>, x: Tensor) => Promise<unknown>, RegExp])[] = [
    ['a number instead of a tensor', (program) => program(3 as never), /argument 0 is number 3/],
    ['a number inside of a tree', (program) => program({ a: { b: 3 } } as never), /argument 0\.a\.b is number 3/],
    ['a string', (program) => program('x' as never), /argument 0 is string x/],
    ['null', (program) => program(null as never), /argument 0 is null/],
    ['an array of numbers', (program) => program([1, 2] as never), /argument 0\[0\] is number 1/],
    ['a function', (program) => program((() => 1) as never), /argument 0 is a function/],
    ['a promise', (program, x) => program(Promise.resolve(x) as never), /argument 0 is a promise/],
    ['a tensor of text', (program) => program(tf.tensor1d(['a', 'b']) as never), /argument 0 of .* has dtype string/],
    ['a complex tensor', (program) => program(tf.complex([1], [2])), /argument 0 of .* has dtype complex64/],
    [
      'a disposed tensor',
      (program, x) => {
        x.dispose();
        return program(x);
      },
      /argument 0 .*is disposed/,
    ],
  ];
  it.each(bad)('%s is refused as an argument by its name, with a remedy', async (_, call, message) => {
    const program = runtime.compile((x: Tensor) => tf.exp(x));
    const before = state();
    const x = xs();
    const error = await failure(call(program, x));
    expect(error).toBeInstanceOf(BpcError);
    expect((error as BpcError).message).toMatch(message);
    expect((error as BpcError).remedy.length).toBeGreaterThan(5);
    expect(state().backend).toBe(before.backend);
    await program.dispose();
  });

  it('a program, a density and the runtime refuse calls after dispose, at once and by name', async () => {
    const own = await open();
    const program = own.compile(function squares(x: Tensor) {
      return tf.square(x);
    });
    const density = await own.density((p: { x: Tensor }) => tf.neg(tf.sum(tf.square(p.x))) as Scalar, { x: [1, 2] });
    const x = xs();
    tf.dispose(await program(x));
    await program.dispose();
    await density.dispose();
    const evaluate = async () => density.evaluate(new Float64Array(2), new Float64Array(2));
    for (const call of [async (): Promise<unknown> => program(x), () => program.prepare(x), evaluate]) {
      expect(await failure(call())).toMatchObject({ code: 'CONFIG', message: expect.stringMatching(/disposed/) });
    }
    await own.dispose();
    for (const call of [
      async (): Promise<unknown> => own.compile((y: Tensor) => y),
      () => own.density((p: { x: Tensor }) => scalarOf(p.x), { x: 1 }),
    ]) {
      expect(await failure(call())).toMatchObject({ code: 'CONFIG', message: expect.stringMatching(/disposed/) });
    }
    await Promise.all([program.dispose(), density.dispose(), own.dispose()]);
  });

  it('vectors of another size are refused by a density', async () => {
    const density = await runtime.density((p: { x: Tensor }) => scalarOf(p.x), { x: [1, 2] });
    const evaluate = async (a: number, b: number) => density.evaluate(new Float64Array(a), new Float64Array(b));
    for (const [a, b] of [
      [3, 2],
      [2, 1],
      [0, 2],
    ] as const)
      expect(await failure(evaluate(a, b))).toBeInstanceOf(BpcError);
    await density.dispose();
  });

  if (!compiled) return;

  it('a program that is called inside the trace of another is refused', async () => {
    const inner = runtime.compile((x: Tensor) => tf.exp(x));
    const promises: Promise<unknown>[] = [];
    const outer = runtime.compile((x: Tensor) => {
      promises.push(failure(inner(x)));
      return tf.square(x);
    });
    const x = xs();
    tf.dispose(await outer(x));
    const [error] = await Promise.all(promises);
    expect(error).toMatchObject({ code: 'CONFIG', message: expect.stringMatching(/inside the trace|while .* traced/) });
    await Promise.all([inner.dispose(), outer.dispose()]);
  });

  it('a tensor that leaves its trace is refused, captured or passed', async () => {
    let leaked: Tensor | undefined;
    const leaking = runtime.compile((x: Tensor) => {
      leaked = tf.keep(tf.exp(x));
      return leaked;
    });
    const x = xs();
    tf.dispose(await leaking(x));
    const stray = leaked as Tensor;
    const using = runtime.compile((y: Tensor) => tf.add(y, stray));
    const passing = runtime.compile((y: Tensor) => y);
    for (const call of [() => using(x), () => passing(stray)]) {
      expect(await failure(call())).toMatchObject({ code: 'CONFIG', message: expect.stringMatching(/dispos/) });
    }
    expect(tf.getBackend()).toBe('cpu');
  });

  it('a symbolic key that leaves its trace is refused', async () => {
    let leaked: Key | undefined;
    const leaking = runtime.compile((k: Key) => {
      leaked = k;
      return normal(k, [2]);
    });
    tf.dispose(await leaking(key(1)));
    const stray = leaked as Key;
    expect(await failure(Promise.resolve().then(() => normal(stray, [2])))).toBeInstanceOf(BpcError);
    expect(await failure(runtime.compile(() => normal(stray, [2]))())).toBeInstanceOf(BpcError);
    expect(await failure(runtime.compile((k: Key) => normal(k, [2]))(stray))).toBeInstanceOf(BpcError);
  });

  it('arguments of another tfjs backend are read there, and the results come back on the current one', async () => {
    class Counting extends tf.KernelBackend {
      readonly values = new Map<object, tf.BackendValues>();
      override write(values: tf.BackendValues) {
        const id = {};
        this.values.set(id, values);
        return id;
      }
      override move(id: object, values: tf.BackendValues) {
        this.values.set(id, values);
      }
      override async read(id: object) {
        return this.values.get(id) as tf.BackendValues;
      }
      override readSync(): never {
        throw new Error('only data() works here');
      }
      override disposeData(id: object) {
        return this.values.delete(id);
      }
      override numDataIds() {
        return this.values.size;
      }
      override refCount() {
        return 1;
      }
      override incRef() {}
      override dispose() {}
    }
    const other = `elsewhere-${name}`;
    tf.registerBackend(other, () => new Counting(), -5);
    await tf.setBackend(other);
    const x = tf.tensor1d([1, 2]);
    await tf.setBackend('cpu');
    const program = runtime.compile((y: Tensor) => tf.square(y));
    const y = await program(x);
    expect([...y.dataSync()]).toEqual([1, 4]);
    expect(await failure(runtime.compile((z: Tensor) => tf.add(z, x))(y))).toMatchObject({
      code: 'CONFIG',
      message: expect.stringMatching(/cannot read synchronously .*pass it as an argument/),
    });
    expect(tf.getBackend()).toBe('cpu');
    tf.dispose([x, y]);
    tf.removeBackend(other);
  });

  it('shapes that change at every call are compiled anew, bounded, and warned about once', async () => {
    const warnings: string[] = [];
    let traces = 0;
    const own = compiledRuntime({ target: jsTarget(), signatures: 3, onWarning: (message) => warnings.push(message) });
    const program = own.compile((x: Tensor) => {
      traces++;
      return tf.sum(x);
    });
    for (let size = 1; size <= 8; size++) expect((await program(tf.ones([size]))).dataSync()[0]).toBe(size);
    expect(traces).toBe(8);
    expect(warnings).toHaveLength(1);
    await own.dispose();
  });
});

describe('an ort object that is not ONNX Runtime is named, with the package to install', () => {
  const { InferenceSession, Tensor: OrtTensor, env } = ort;
  const wrong: readonly (readonly [string, unknown])[] = [
    ['undefined', undefined],
    ['null', null],
    ['text', 'onnxruntime-node'],
    ['an empty object', {}],
    ['a promise of the module', import('onnxruntime-node')],
    ['another library', tf],
    ['a namespace with nothing but a default', { default: ort }],
    ['one whose sessions cannot be created', { InferenceSession: class {}, Tensor: OrtTensor, env }],
    ['one without tensors', { InferenceSession, env }],
    ['one without versions', { InferenceSession, Tensor: OrtTensor, env: {} }],
  ];
  it.each(wrong)('%s', async (_, module) => {
    const error = await failure(Promise.resolve().then(() => onnxRuntime({ ort: module as never })));
    expect(error).toMatchObject({ code: 'CONFIG', message: expect.stringMatching(/^ort is/) });
    expect((error as BpcError).message).toMatch(/onnxruntime-(node|web)/);
  });

  it('a namespace with nothing but a default is told to pass that', async () => {
    const error = await failure(Promise.resolve().then(() => onnxRuntime({ ort: { default: ort } as never })));
    expect((error as BpcError).remedy).toMatch(/ort\.default/);
  });

  it('a provider that this build lacks is refused with the packages that have it', async () => {
    for (const provider of ['cuda', 'dml', 'coreml', 'wasm', 'tensorrt', 'qnn', 'webnn', 'cpuu']) {
      if (ort.listSupportedBackends?.().some(({ name: known }) => known === provider)) continue;
      const error = await failure(onnxRuntime({ ort, executionProviders: [provider] as never }));
      expect(error).toMatchObject({ code: 'CONFIG', message: expect.stringContaining(`'${provider}'`) });
      expect((error as BpcError).remedy).toMatch(/onnxruntime-(node|web)|'cpu'/);
    }
  });
});

describe('several runtimes at once', () => {
  it('answer overlapping calls rightly: js, two of ONNX Runtime with other threads, and eager code', async () => {
    const all = [jsRuntime(), await onnxRuntime({ ort, threads: 1 }), await onnxRuntime({ ort, threads: 2 }), eagerRuntime()];
    const fn = (k: Key, x: Tensor) => ({ y: valueAndGrad((p: Tensor) => tf.sum(tf.sin(tf.mul(p, p))))(x).grad, noise: normal(k, [5]) });
    const programs = all.map((runtime) => runtime.compile(fn));
    const sizes = [2, 3, 2, 5, 3];
    const calls = sizes.flatMap((size, i) => programs.map((program) => program(key(i), tf.fill([size], 0.1 * (i + 1)))));
    const results = await Promise.all(calls);
    results.forEach(({ y, noise }, j) => {
      const i = Math.floor(j / programs.length);
      const x = 0.1 * (i + 1);
      expect(y.shape).toEqual([sizes[i]]);
      for (const value of y.dataSync()) expect(value).toBeCloseTo(2 * x * Math.cos(x * x), 5);
      expect(noise.dataSync()).toEqual(normal(key(i), [5]).dataSync());
    });
    // One goes; the others stay.
    await all[1]?.dispose();
    for (const [i, program] of programs.entries()) {
      const found = await failure(program(key(1), tf.ones([2])));
      expect(found instanceof BpcError).toBe(i === 1);
    }
    await Promise.all(all.map((runtime) => runtime.dispose()));
  });
});
