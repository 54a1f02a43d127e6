import { item } from '../../../ir/shape.js';
import type { Affine } from '../affine.js';
import type { Loop } from '../program.js';
import { CHUNK, type Machine } from './machine.js';

/**
 * The innermost loops of a nest as one range of lanes, in the order in which the nest would visit them.
 *
 * Variables below `first` belong to loops around the lanes.
 */
export type Lanes = {
  readonly first: number;
  readonly extents: readonly number[];
  readonly size: number;
  /** Consecutive lanes that one `inner` root reduces. */
  readonly segment: number;
};

const product = (extents: readonly number[]): number => extents.reduce((a, b) => a * b, 1);

/** As few loops as fill a chunk, and all that `inner` roots reduce over. */
export function lanesOf({ extents, inner }: Loop): Lanes {
  const nest = extents.length - inner;
  let first = Math.max(0, inner > 0 ? nest : extents.length - 1);
  while (first > 0 && product(extents.slice(first)) < CHUNK) first--;
  const own = extents.slice(first);
  return { first, extents: own, size: product(own), segment: product(extents.slice(nest)) };
}

/** The part of an address that stays while the lanes run. */
export function baseAddress(machine: Machine, { constant, terms }: Affine, first: number): () => number {
  const outer = terms.filter(([variable]) => variable < first);
  const [term, ...others] = outer;
  if (term === undefined) return () => constant;
  const [variable, coefficient] = term;
  if (others.length === 0) return () => constant + coefficient * (machine.variables[variable] as number);
  return () => {
    let sum = constant;
    for (let k = 0; k < outer.length; k++) {
      const each = outer[k] as readonly [number, number];
      sum += each[1] * (machine.variables[each[0]] as number);
    }
    return sum;
  };
}

/** What one step of each lane variable adds to an address. */
const steps = ({ terms }: Affine, { first, extents }: Lanes): number[] =>
  extents.map((_, axis) => terms.find(([variable]) => variable === first + axis)?.[1] ?? 0);

/** What one lane adds to an address, if every lane adds the same. */
export function strideOf(index: Affine, lanes: Lanes): number | undefined {
  const each = steps(index, lanes);
  const stride = each.at(-1) ?? 0;
  return each.every((step, axis) => step === stride * product(lanes.extents.slice(axis + 1))) ? stride : undefined;
}

/** What lane `lane` adds to an address. */
export function laneOffset(index: Affine, lanes: Lanes, lane: number): number {
  let sum = 0;
  let rest = lane;
  for (let axis = lanes.extents.length - 1; axis >= 0; axis--) {
    const extent = item(lanes.extents, axis);
    const variable = lanes.first + axis;
    for (let k = 0; k < index.terms.length; k++) {
      const term = item(index.terms, k);
      if (term[0] === variable) sum += term[1] * (rest % extent);
    }
    rest = Math.floor(rest / extent);
  }
  return sum;
}

/** Fills `offsets` with what each lane of the chunk adds to an address, whatever its pattern. */
export function offsetFiller(index: Affine, lanes: Lanes, offsets: Int32Array): (start: number, n: number) => void {
  const stride = strideOf(index, lanes);
  if (stride !== undefined) {
    return (start, n) => {
      for (let i = 0, at = stride * start; i < n; i++, at += stride) offsets[i] = at;
    };
  }
  const { extents } = lanes;
  const each = steps(index, lanes);
  const counter = new Int32Array(extents.length);
  return (start, n) => {
    let rest = start;
    let at = 0;
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      const extent = extents[axis] as number;
      counter[axis] = rest % extent;
      at += (each[axis] as number) * (rest % extent);
      rest = Math.floor(rest / extent);
    }
    for (let i = 0; i < n; i++) {
      offsets[i] = at;
      // Counts up like the loops it replaces: the last variable runs fastest.
      for (let axis = extents.length - 1; axis >= 0; axis--) {
        const next = (counter[axis] as number) + 1;
        at += each[axis] as number;
        if (next < (extents[axis] as number)) {
          counter[axis] = next;
          break;
        }
        counter[axis] = 0;
        at -= (each[axis] as number) * next;
      }
    }
  };
}
