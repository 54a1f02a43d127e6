import {
  type CompiledRuntimeOptions,
  compiledRuntime,
  type Graph,
  jsTarget,
  printGraph,
  type Target,
  topologicalOrder,
  trace,
} from '@bpc/compiler';
import {
  ConfigError,
  disposeTree,
  foldIn,
  grad,
  type Key,
  key,
  normal,
  type Program,
  type ProgramArgument,
  ShapeError,
  scan,
  type Tree,
  treeEntries,
  uniform,
  untaped,
  valueAndGrad,
} from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectClose, expectSame, random, values } from './helpers.js';
import { interpret } from './interpreter.js';

const numbers = (x: Tensor) => [...x.dataSync()];
type Any = Program<readonly ProgramArgument[], Tree>;

/** Runs a function on the js target, and gives its leaves with their paths. */
async function compiled(fn: (...args: never[]) => Tree, args: readonly ProgramArgument[], options: Partial<CompiledRuntimeOptions> = {}) {
  const runtime = compiledRuntime({ target: jsTarget(), ...options });
  const result = await (runtime.compile(fn as (...args: readonly ProgramArgument[]) => Tree) as Any)(...args);
  await runtime.dispose();
  return treeEntries(result);
}
const ops = (graph: Graph): string[] => topologicalOrder(graph.outputs).map((node) => node.op);
const body = (graph: Graph): Graph => {
  const loop = topologicalOrder(graph.outputs).find((node) => node.op === 'Scan');
  if (loop?.op !== 'Scan') throw new Error('no loop');
  return loop.attributes.body;
};
type Walk = { readonly w: Tensor; readonly count: Tensor };

describe('scan, eagerly', () => {
  it('carries a state over rows, with their numbers, and stacks results', () => {
    const step = ({ w, count }: Walk, { x, index }: { x: Tensor; index: Tensor }) =>
      [
        { w: tf.add(tf.mul(w, 2), x), count: tf.add(count, tf.scalar(1, 'int32')) },
        { w, index },
      ] as const;
    const [last, ys] = scan(
      step,
      { w: tf.tensor1d([1, 0]), count: tf.scalar(0, 'int32') },
      tf.tensor2d([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
    );
    expect([numbers(last.w), numbers(last.count)]).toEqual([[8 + 4 + 6 + 5, 8 + 8 + 6], [3]]);
    expect([ys.w.shape, numbers(ys.w)]).toEqual([
      [3, 2],
      [1, 0, 3, 2, 9, 8],
    ]);
    expect([ys.index.dtype, numbers(ys.index)]).toEqual(['int32', [0, 1, 2]]);
  });

  it('draws of iteration i what the key folded with i draws', () => {
    const [, ys] = scan((s: Tensor, { key: k }: { key: Key }) => [s, normal(k, [3])] as const, tf.scalar(0), undefined, {
      length: 4,
      key: key(5),
    });
    expect(numbers(ys)).toEqual([0, 1, 2, 3].flatMap((i) => numbers(normal(foldIn(key(5), i), [3]))));
  });

  it('leaves its arguments alone, owns no tensor afterwards, and gives results with lives of their own', () => {
    const [state, xs] = [{ a: tf.ones([2]), b: tf.scalar(3) }, tf.ones([4, 2])];
    const before = tf.memory().numTensors;
    const [last, ys] = scan(
      ({ a, b }: typeof state, { x }: { x: Tensor }) => [{ a: tf.add(a, x) as tf.Tensor1D, b }, b] as const,
      state,
      xs,
    );
    expect(tf.memory().numTensors).toBe(before + 3);
    disposeTree([last, ys]);
    expect([state.a.isDisposed, state.b.isDisposed, xs.isDisposed]).toEqual([false, false, false]);
    expect(tf.memory().numTensors).toBe(before);
    expect(() =>
      scan(
        () => {
          tf.ones([3]);
          throw new TypeError('mine');
        },
        state,
        xs,
      ),
    ).toThrow(TypeError);
    expect(tf.memory().numTensors).toBe(before);
    disposeTree([state, xs]);
  });

  it('keeps one step alive at a time', async () => {
    const peak = async (length: number) => {
      const before = tf.memory().numBytes;
      const run = () => scan((s: Tensor) => [tf.sin(tf.mul(s, 2))], tf.ones([1000]), undefined, { length })[0];
      const { peakBytes } = await tf.profile(() => tf.tidy(() => tf.sum(run())));
      return peakBytes - before;
    };
    await peak(1);
    expect(await peak(50)).toBe(await peak(5));
  });
});

describe('a compiled scan', () => {
  it('equals the eager one: state, stacked results, rows, numbers, captured values', async () => {
    const captured = tf.tensor1d([0.5, -0.25, 2]);
    await expectSame(
      (start: Tensor, data: Tensor) => {
        const [end, path] = scan(
          (w: Tensor, { x, index }: { x: Tensor; index: Tensor }) =>
            [tf.add(tf.mul(w, captured), tf.mul(x, tf.exp(tf.mean(data)))), { w, twice: tf.mul(index, 2), same: captured }] as const,
          start,
          data,
        );
        return { end, path };
      },
      [random([3]), random([5, 3], 2)],
    );
  });

  it('has the same noise as the eager one, bit for bit, in nested loops too', async () => {
    const draws = (k: Key) => {
      const shared = foldIn(k, 3);
      const [, outer] = scan(
        (s: Tensor, { key: own }: { key: Key }) => {
          const [, inner] = scan(
            (t: Tensor, { key: deep }: { key: Key }) => [t, { deep: normal(foldIn(deep, 1), [2]), own: uniform(own, []) }] as const,
            s,
            undefined,
            { length: 3, key: foldIn(own, 7) },
          );
          const [, again] = scan((t: Tensor, { key: other }: { key: Key }) => [t, normal(other, [1])] as const, s, undefined, {
            length: 2,
            key: shared,
          });
          return [s, { inner, again, own: normal(own, [2]), constant: normal(shared, [2]) }] as const;
        },
        tf.scalar(0),
        undefined,
        { length: 4, key: foldIn(k, 1) },
      );
      return outer;
    };
    const expected = treeEntries(draws(key(11)));
    const found = await compiled(draws, [key(11)]);
    expect(found.map(([path, x]) => [path, x.shape])).toEqual(expected.map(([path, x]) => [path, x.shape]));
    found.forEach(([path, x], i) => expect(numbers(x), path).toEqual(numbers(expected[i]![1])));
    expect(new Set(numbers(found.find(([path]) => path === 'inner/deep')![1])).size).toBe(4 * 3 * 2);
  });

  it('runs gradients in its step: a Langevin chain is the eager chain', async () => {
    const data = random([20, 3], 4);
    const energy = (theta: Tensor) =>
      tf.add(
        tf.sum(tf.softplus(tf.matMul(data as tf.Tensor2D, tf.reshape(theta, [3, 1]) as tf.Tensor2D))),
        tf.mul(0.5, tf.sum(tf.square(theta))),
      ) as Scalar;
    const chain = (theta: Tensor, k: Key) => {
      const [end, energies] = scan(
        (position: Tensor, { key: own }: { key: Key }) => {
          const { value, grad: gradient } = valueAndGrad(energy)(position);
          return [tf.add(tf.sub(position, tf.mul(gradient, 0.01)), tf.mul(normal(own, [3]), 0.1)), value] as const;
        },
        theta,
        undefined,
        { length: 25, key: k },
      );
      return { end, energies };
    };
    const expected = treeEntries(chain(tf.zeros([3]), key(2)));
    const found = await compiled(chain as never, [tf.zeros([3]), key(2)]);
    found.forEach(([path, x], i) => expectClose(x.dataSync(), expected[i]![1].dataSync(), 1e-5, path));
  });

  it('is one operation, whatever its length: the step is traced once and the graph does not grow', () => {
    let calls = 0;
    const loop = (length: number) => (x: Tensor) =>
      scan(
        (s: Tensor) => {
          calls++;
          return [tf.sin(s)];
        },
        x,
        undefined,
        { length },
      )[0];
    const sizes = [1, 2, 1000].map((length) => topologicalOrder(trace(loop(length), [tf.ones([3])]).graph.outputs).length);
    expect(sizes).toEqual([3, 3, 3]);
    expect(calls).toBe(3);
  });

  it('computes what does not change before the loop, and leaves out results and states that nothing needs', () => {
    const { graph } = trace(
      (x: Tensor, data: Tensor) => {
        const [{ a }] = scan(
          ({ a, unused, fixed }: { a: Tensor; unused: Tensor; fixed: Tensor }) =>
            [{ a: tf.add(a, tf.sum(tf.exp(tf.mul(data, fixed)))), unused: tf.tan(unused), fixed }, tf.cos(a)] as const,
          { a: x, unused: x, fixed: tf.scalar(2) },
          undefined,
          { length: 3 },
        );
        return a;
      },
      [tf.ones([2]), tf.ones([4])],
    );
    const inner = body(graph);
    expect(inner.outputs).toHaveLength(1);
    expect(ops(inner).filter((op) => op !== 'Input' && op !== 'Const')).not.toContain('Tan');
    expect(ops(inner)).not.toContain('Cos');
    const outside = trace(
      (x: Tensor, data: Tensor) => scan((a: Tensor) => [tf.add(a, tf.exp(data))], x, undefined, { length: 3 })[0],
      [tf.ones([4]), tf.ones([4])],
    );
    expect(ops(outside.graph)).toContain('Exp');
    expect(ops(body(outside.graph))).toEqual(['Input', 'Input', 'Add']);
  });

  it('computes in the body what the interpreter computes', () => {
    const fn = (x: Tensor, rows: Tensor) => {
      const [end, ys] = scan(
        (s: { u: Tensor; v: Tensor }, { x: row, index }: { x: Tensor; index: Tensor }) =>
          [{ u: tf.add(s.v, row), v: tf.mul(s.u, tf.add(index, 0.5)) }, tf.sum(s.u)] as const,
        { u: x, v: tf.ones([3]) as Tensor },
        rows,
      );
      return { ...end, ys };
    };
    const { graph } = trace(fn, [tf.ones([3]), tf.ones([5, 3])]);
    const [x, rows] = [values(3, 8), values(15, 9)];
    const expected = treeEntries(fn(tf.tensor(x), tf.tensor(rows, [5, 3])));
    interpret(graph, [x, rows]).forEach((found, i) => expectClose(found, expected[i]![1].dataSync(), 1e-5, expected[i]![0]));
  });

  it('prints its body below it', () => {
    const { graph } = trace(
      function walk(x: Tensor) {
        return scan(
          function step(s: Tensor) {
            return [tf.sin(s)];
          },
          x,
          undefined,
          { length: 4 },
        )[0];
      },
      [tf.ones([2])],
    );
    expect(printGraph(graph)).toMatch(
      /= Scan\(%0\) \{length=4 states=1 xs=0\}\n {4}step \{\n {6}%\d+: float32\[2\] = Input\(\) \{index=0\}\n {6}%\d+: .* = Sin\(%\d+\)\n/,
    );
  });

  it('gives zero rows for zero iterations, and the state as it was', async () => {
    const none = (x: Tensor, rows: Tensor) => {
      const [end, ys] = scan((s: Tensor, { x: row }: { x: Tensor }) => [tf.add(s, row), { s, row }] as const, x, rows);
      return { end, ...ys };
    };
    const [x, rows] = [tf.tensor1d([1, 2]), tf.zeros([0, 2])];
    for (const entries of [treeEntries(none(x, rows)), await compiled(none as never, [x, rows])]) {
      expect(entries.map(([path, t]) => [path, t.shape, numbers(t)])).toEqual([
        ['end', [2], [1, 2]],
        ['row', [0, 2], []],
        ['s', [0, 2], []],
      ]);
    }
  });

  it('works in a loop of a loop, with states of several types', async () => {
    await expectSame(
      (x: Tensor) => {
        const [end, ys] = scan(
          (s: { x: Tensor; n: Tensor; even: Tensor }, { index }: { index: Tensor }) => {
            const [sum, partial] = scan(
              (t: Tensor, { index: j }: { index: Tensor }) => [tf.add(t, tf.mul(s.x, tf.sin(tf.add(tf.add(j, index), 0.5)))), t] as const,
              tf.zerosLike(s.x),
              undefined,
              { length: 3 },
            );
            return [
              { x: tf.mul(sum, 0.5), n: tf.add(s.n, tf.scalar(2, 'int32')), even: tf.logicalNot(s.even) },
              { partial, n: s.n, even: s.even },
            ] as const;
          },
          { x, n: tf.scalar(1, 'int32') as Tensor, even: tf.scalar(true, 'bool') as Tensor },
          undefined,
          { length: 4 },
        );
        return { end, ys };
      },
      [random([30])],
    );
  });
});

describe('gradients through a scan', () => {
  const loss = (theta: Tensor, xs: Tensor): Tensor => {
    const [end, ys] = scan(
      (s: Tensor, { x }: { x: Tensor }) => [tf.tanh(tf.add(tf.mul(s, theta), x)), tf.mul(s, theta)] as const,
      tf.mul(theta, 0.5),
      xs,
    );
    return tf.add(tf.sum(tf.square(end)), tf.sum(tf.sin(ys)));
  };
  const [theta, xs] = [random([3], 3), random([4, 3], 5)];

  it('equal central differences, eagerly and compiled', async () => {
    const h = 1e-3;
    const at = (shift: number, i: number) =>
      loss(tf.add(theta, tf.tensor1d([0, 1, 2].map((k) => (k === i ? shift : 0)))), xs).dataSync()[0]!;
    const differences = [0, 1, 2].map((i) => (at(h, i) - at(-h, i)) / (2 * h));
    const gradient = (t: Tensor, x: Tensor) => grad((p: Tensor) => loss(p, x))(t);
    expectClose(gradient(theta, xs).dataSync(), differences, 2e-3);
    expectClose((await compiled(gradient as never, [theta, xs]))[0]![1].dataSync(), gradient(theta, xs).dataSync(), 1e-5);
  });

  it('unroll a traced scan, unless it is untaped', () => {
    const traced = (wrap: <T>(f: () => T) => T) =>
      ops(
        trace(
          (t: Tensor, x: Tensor) =>
            grad((p: Tensor) =>
              tf.sum(
                tf.mul(
                  p,
                  wrap(() => loss(p, x)),
                ),
              ),
            )(t),
          [theta, xs],
        ).graph,
      );
    expect(traced((f) => f())).not.toContain('Scan');
    expect(traced(untaped)).toContain('Scan');
  });
});

describe('chunks of iterations', () => {
  const program = (x: Tensor, k: Key, rows: Tensor) => {
    const scale = tf.exp(tf.mean(rows));
    const [end, ys] = scan(
      (s: { u: Tensor; n: Tensor }, { key: own, x: row, index }: { key: Key; x: Tensor; index: Tensor }) => {
        const u = tf.add(tf.mul(s.u, 0.9), tf.mul(scale, tf.add(normal(own, [3]), tf.mul(row, index))));
        return [
          { u, n: tf.add(s.n, tf.scalar(1, 'int32')) },
          { u, n: s.n, noise: normal(own, [3]) },
        ] as const;
      },
      { u: tf.mul(x, scale), n: tf.scalar(0, 'int32') as Tensor },
      rows,
      { key: k },
    );
    return { end, ys, after: tf.mul(tf.sum(end.u), scale), rows, scale };
  };
  const args = [random([3]), key(3), random([14, 3], 6)] as const;

  it.each([12, 24, 60, 84, 1e6])('of %i bytes of noise give the same bits', async (noiseBytes) => {
    const lowered: string[] = [];
    const inner = jsTarget();
    const target: Target = {
      ...inner,
      lower: (graph) => {
        lowered.push(graph.name);
        return inner.lower(graph);
      },
    };
    const whole = await compiled(program as never, args);
    const found = await compiled(program as never, args, { target, noiseBytes });
    found.forEach(([path, x], i) => expect(numbers(x), path).toEqual(numbers(whole[i]![1])));
    // Before, loop (a second length where the first does not divide 14), after.
    expect(lowered).toHaveLength({ 12: 3, 24: 3, 60: 4, 84: 3, 1000000: 1 }[noiseBytes] ?? 0);
  });

  it('bound the noise that is drawn at once, however many iterations there are', async () => {
    const { result, most } = await (async () => {
      const inner = jsTarget();
      let most = 0;
      const target: Target = {
        ...inner,
        lower: async (graph) => {
          const executable = await inner.lower(graph);
          for (const node of graph.inputs) most = Math.max(most, 4 * node.shape.reduce((a, b) => a * b, 1));
          return executable;
        },
      };
      const walk = (k: Key) =>
        scan((s: Tensor, { key: own }: { key: Key }) => [tf.add(s, normal(own, [10]))], tf.zeros([10]), undefined, {
          length: 1000,
          key: k,
        })[0];
      return { result: await compiled(walk, [key(1)], { target, noiseBytes: 400 }), most };
    })();
    expect(most).toBe(400);
    const [x] = result[0]![1].dataSync();
    expect(Number.isFinite(x)).toBe(true);
  });
});

describe('mistakes in a scan', () => {
  const one = tf.ones([2]);
  const cases: readonly (readonly [string, () => unknown, abstract new (...args: never[]) => Error, RegExp])[] = [
    [
      'a state that changes its shape',
      () =>
        scan((s: { a: { b: Tensor } }) => [{ a: { b: tf.concat([s.a.b, s.a.b]) } }], { a: { b: one as Tensor } }, undefined, { length: 2 }),
      ShapeError,
      /next state .* 'a\/b'.*float32\[2\]/,
    ],
    [
      'a state that changes its dtype',
      () => scan((s: Tensor) => [tf.add(s, 0.5)], tf.scalar(1, 'int32') as Tensor, undefined, { length: 2 }),
      ShapeError,
      /int32\[\]/,
    ],
    ['no length', () => scan((s: Tensor) => [s], one), ConfigError, /neither xs nor a length/],
    [
      'lengths that disagree',
      () => scan((s: Tensor) => [s], one, { p: tf.ones([3]), q: tf.ones([4]) }),
      ShapeError,
      /xs at 'q' has shape \[4\]/,
    ],
    ['a length that is none', () => scan((s: Tensor) => [s], one, undefined, { length: 1.5 }), ConfigError, /length is 1.5/],
    ['a promise', () => scan((async (s: Tensor) => [s]) as never, one, undefined, { length: 2 }), ConfigError, /promise/],
    ['no pair', () => scan(((s: Tensor) => s) as never, one, undefined, { length: 2 }), ShapeError, /no pair/],
    [
      'a key that was not given',
      () => scan((s: Tensor, { key: k }: { key: Key }) => [tf.add(s, normal(k, [2]))], one, undefined, { length: 2 }),
      ConfigError,
      /asks for a key/,
    ],
  ];

  it.each(cases)('are named: %s', (_, f, type, message) => {
    const before = tf.memory().numTensors;
    expect(f).toThrow(type);
    expect(f).toThrow(message);
    // In a trace too.
    expect(() => trace(() => f() as Tensor, [])).toThrow(message);
    expect(tf.getBackend()).toBe('cpu');
    expect(tf.memory().numTensors - before).toBeLessThanOrEqual(4);
  });

  it('are named when the step reads a value, lets a tensor or a key escape, or draws from a captured key', () => {
    let leaked: Tensor | undefined;
    let leakedKey: Key | undefined;
    const program = (f: (k: Key) => Tensor) => () => trace(f, [key(0)]);
    const loop = (step: (s: Tensor, i: { key: Key }) => readonly [Tensor], k: Key) =>
      scan(step, tf.ones([2]) as Tensor, undefined, { length: 3, key: k })[0];
    expect(program((k) => loop((s) => [tf.mul(s, s.dataSync()[0] ?? 0)], k))).toThrow(/read the value/);
    expect(
      program((k) => {
        const end = loop((s) => {
          leaked = tf.sin(s);
          return [s];
        }, k);
        return tf.add(end, leaked as Tensor);
      }),
    ).toThrow(/\[2\] that is disposed.*return it/);
    expect(
      program((k) => {
        const end = loop((s) => {
          leaked = tf.keep(tf.sin(s));
          return [s];
        }, k);
        return tf.add(end, leaked as Tensor);
      }),
    ).toThrow(/outside of the scan/);
    expect(
      program((k) => {
        loop((s, i) => {
          leakedKey = i.key;
          return [s];
        }, k);
        return normal(leakedKey as Key, [2]);
      }),
    ).toThrow(/key of a scan iteration/);
    const captured = key(4);
    expect(program(() => loop((s, i) => [tf.add(s, normal(i.key, [2]))], captured))).toThrow(/pass the key as an argument/);
  });
});

describe('resources', () => {
  it('stay flat over calls of a program with a scan, and the step is never traced again for known shapes', async () => {
    let traces = 0;
    const runtime = compiledRuntime({ target: jsTarget(), noiseBytes: 40 });
    const program = runtime.compile((x: Tensor, k: Key) => {
      traces++;
      return scan((s: Tensor, { key: own }: { key: Key }) => [tf.add(s, normal(own, [2]))], x, undefined, { length: 10, key: k })[0];
    });
    const [two, six] = [tf.ones([2]), tf.ones([6, 2])];
    (await program(two, key(0))).dispose();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 20; i++) tf.dispose(await program(two, key(i)));
    expect(tf.memory().numTensors).toBe(before);
    expect(traces).toBe(1);
    tf.dispose(await program(six, key(0)));
    tf.dispose(await program(two, key(0)));
    expect(traces).toBe(2);
    await runtime.dispose();
  });
});
