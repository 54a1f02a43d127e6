import { jsRuntime, jsTarget, printGraph, topologicalOrder, trace } from '@bpc/compiler';
import { constant, foldIn, grad, type Key, key, normal, scan, treeEntries, uniform, untaped, valueAndGrad } from '@bpc/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectClose, expectSame, PRINTERS, random, values } from './helpers.js';
import { interpret } from './interpreter.js';
import { body, compiled, numbers, ops } from './scan-helpers.js';

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

  it('may begin at a state that lies where a longer result lay before', async () => {
    await expectSame(
      (a: Tensor, b: Tensor) => {
        const longer = tf.matMul(tf.concat([a, tf.slice(a, [0, 0], [20, 40])]), b);
        // Computed after the longer result is done with, and no part of a loop over elements.
        const start = tf.matMul(tf.mul(a, tf.sum(tf.square(longer))), b);
        return scan((state: Tensor) => [tf.matMul(a, state)], start, undefined, { length: 2 })[0];
      },
      [random([40, 40]), random([40, 1], 2)],
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

  it.each(['javascript', 'wasm', 'interpreter'] as const)(
    'runs on every printer: %s, with long loops and matrices that stay the same',
    async (printer) => {
      const data = random([80, 3], 4);
      const chain = (theta: Tensor, rows: Tensor) => {
        const [end, ys] = scan(
          (t: Tensor, { x, index }: { x: Tensor; index: Tensor }) => {
            const logits = tf.matMul(data as tf.Tensor2D, tf.reshape(t, [3, 1]) as tf.Tensor2D);
            const [inner] = scan((s: Tensor) => [tf.sin(tf.add(s, logits))], tf.zeros([80, 1]), undefined, { length: 3 });
            return [tf.add(tf.mul(t, 0.9), tf.mul(x, tf.add(tf.mean(inner), index))), inner] as const;
          },
          theta,
          rows,
        );
        return { end, ys };
      };
      const args = [random([3]), random([6, 3], 2)] as const;
      const expected = treeEntries(chain(...args));
      const found = await compiled(chain as never, args, { target: jsTarget({ printer }) });
      found.forEach(([path, x], i) => expectClose(x.dataSync(), expected[i]![1].dataSync(), 2e-5, path));
    },
  );

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
      /= Scan\(in0; 4 times step\) .*\n {4}step\(in0 float32\[2\]\) \{\n {6}%1 = Sin\(in0\) +float32\[2\]\n/,
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

  it.each(PRINTERS)(
    'printed as %s, sees in a loop of a loop what changes with each call, and with each iteration around it',
    async (printer) => {
      const table = Float64Array.from({ length: 200 }, (_, i) => Math.cos(i));
      // Long vectors, which a body has in a memory of its own: data, a constant, and what the outer loop computes anew.
      const nested = (start: Tensor, data: Tensor) => {
        const [end] = scan(
          (outer: Tensor) => {
            const moved = tf.mul(tf.sin(data), outer);
            const inner = (w: Tensor) =>
              [tf.add(tf.mul(w, 0.5), tf.mean(tf.mul(tf.add(data, constant(table)), tf.add(moved, w))))] as const;
            const [last] = scan(inner, outer, undefined, { length: 3 });
            return [last] as const;
          },
          start,
          undefined,
          { length: 4 },
        );
        return end;
      };
      const runtime = jsRuntime({ printer });
      const program = runtime.compile(nested);
      for (const seed of [1, 2, 1]) {
        const data = random([200], seed);
        expectClose((await program(tf.scalar(0.3), data)).dataSync(), nested(tf.scalar(0.3), data).dataSync(), 1e-5, `data ${seed}`);
      }
      const density = await runtime.density(
        ({ x }: { x: Tensor }, { data }: { data: Tensor }) => untaped(() => nested(x, data)) as Scalar,
        { x: 0.3 },
        { data: [...random([200], 2).dataSync()] },
      );
      const expected = nested(tf.scalar(0.3), random([200], 2)).dataSync();
      for (let call = 0; call < 2; call++)
        expectClose([Number(density.evaluate(Float64Array.of(0.3), new Float64Array(1)))], expected, 1e-5);
      await runtime.dispose();
    },
  );

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

  it('cost no more per iteration in long loops: the rows of xs get their gradients in one piece', () => {
    const work = (length: number) => {
      const { graph } = trace((t: Tensor) => grad((p: Tensor) => loss(p, tf.mul(p, tf.ones([length, 3]))))(t), [theta]);
      return topologicalOrder(graph.outputs).reduce(
        (sum, { op, shape }) => sum + (op === 'Const' ? 0 : shape.reduce((a, b) => a * b, 1)),
        0,
      );
    };
    expect(work(128)).toBeLessThan(2.1 * work(64));
  });
});
