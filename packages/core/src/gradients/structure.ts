import type { GradConfig, Tensor } from '@tensorflow/tfjs-core';
import { concat, pad, reshape, reverse, slice, stack, sum, transpose } from '@tensorflow/tfjs-core';
import { rule, single, sumTo } from './rule.js';

const many = (dy: Tensor | Tensor[]): Tensor[] => (Array.isArray(dy) ? dy : [dy]);

function inverse(perm: readonly number[]): number[] {
  const result = new Array<number>(perm.length);
  perm.forEach((from, to) => {
    result[from] = to;
  });
  return result;
}

/** Sums the copies that Tile made. Axes that were not repeated, or had length 1, need no extra axis. */
function untile(dy: Tensor, shape: readonly number[], reps: readonly number[]): Tensor {
  const split: number[] = [];
  const copies: number[] = [];
  shape.forEach((length, i) => {
    const times = reps[i] ?? 1;
    if (times > 1) copies.push(split.length);
    if (times > 1 && length > 1) split.push(times, length);
    else split.push(times * length);
  });
  return reshape(sum(reshape(dy, split), copies), [...shape]);
}

/** Rules of operations that move elements around. */
export const structureRules: readonly GradConfig[] = [
  rule('Reshape', ['x'], (dy, { x }) => ({ x: () => reshape(dy, x.shape) })),
  rule('ExpandDims', ['input'], (dy, { input }) => ({ input: () => reshape(dy, input.shape) })),
  rule<{ perm: number[] }>('Transpose', [], (dy, _, { perm }) => ({ x: () => transpose(dy, inverse(perm)) })),
  rule<{ dims: number | number[] }>('Reverse', [], (dy, _, { dims }) => ({ x: () => reverse(dy, dims) })),
  rule<{ begin: number[] }, 'x'>('Slice', ['x'], (dy, { x }, { begin }) => ({
    x: () =>
      pad(
        dy,
        x.shape.map((length, i) => [begin[i] ?? 0, length - (begin[i] ?? 0) - (dy.shape[i] ?? 0)]),
      ),
  })),
  rule<{ paddings: [number, number][] }, 'x'>('PadV2', ['x'], (dy, { x }, { paddings }) => ({
    x: () =>
      slice(
        dy,
        paddings.map(([before]) => before),
        x.shape,
      ),
  })),
  rule<{ reps: number[] }, 'x'>('Tile', ['x'], (dy, { x }, { reps }) => ({ x: () => untile(dy, x.shape, reps) })),
  rule('BroadcastTo', ['x'], (dy, { x }) => ({ x: () => sumTo(dy, x.shape) })),
  {
    kernelName: 'Concat',
    saveAllInputs: true,
    gradFunc: (dys, saved, attributes) => {
      const dy = single(dys);
      const axis = Number(attributes['axis']) < 0 ? Number(attributes['axis']) + dy.rank : Number(attributes['axis']);
      let offset = 0;
      return Object.fromEntries(
        saved.map((x, i) => {
          const begin = x.shape.map(() => 0);
          begin[axis] = offset;
          offset += x.shape[axis] ?? 0;
          return [String(i), () => slice(dy, begin, x.shape)];
        }),
      );
    },
  },
  {
    kernelName: 'Pack',
    saveAllInputs: true,
    gradFunc: (dys, saved, attributes) => {
      const dy = single(dys);
      const axis = Number(attributes['axis']) < 0 ? Number(attributes['axis']) + dy.rank : Number(attributes['axis']);
      return Object.fromEntries(
        saved.map((x, i) => [
          String(i),
          () => {
            const begin = dy.shape.map((_, d) => (d === axis ? i : 0));
            return reshape(
              slice(
                dy,
                begin,
                dy.shape.map((length, d) => (d === axis ? 1 : length)),
              ),
              x.shape,
            );
          },
        ]),
      );
    },
  },
  {
    kernelName: 'Unpack',
    gradFunc: (dys, _, attributes) => ({ value: () => stack(many(dys), Number(attributes['axis'])) }),
  },
  {
    kernelName: 'SplitV',
    gradFunc: (dys, _, attributes) => ({ x: () => concat(many(dys), Number(attributes['axis'])) }),
  },
];
