import { ShapeError } from './errors.js';

/**
 * @throws ShapeError unless the two vectors of a call have the lengths they must have.
 * @internal
 */
export function checkLengths(
  what: 'density' | 'mapping',
  first: Float64Array,
  second: Float64Array,
  firstLength: number,
  secondLength: number,
): void {
  if (first.length === firstLength && second.length === secondLength) return;
  const names = what === 'density' ? 'position and gradient' : 'position and out';
  throw new ShapeError(
    `${names} have ${first.length} and ${second.length} numbers, expected ${firstLength} and ${secondLength}`,
    what === 'density' ? "pass vectors of the density's size" : "pass vectors of the mapping's size and outputSize",
  );
}
