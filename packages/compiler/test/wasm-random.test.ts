import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lowerGraph } from '../src/targets/js/lower.js';
import { generateWasm } from '../src/targets/js/wasm/index.js';
import { interpret } from './interpreter.js';
import { build, data, expectEqual, type Recipe, recipes } from './random-graph.js';

// Rows of every length around whole vectors and interleaved copies, and one family of scalars.
const FAMILIES = [
  [[4, 3], [3], [4, 1], [2, 4, 3], []],
  [[5, 9], [9], [5, 1], [5, 9], [2, 1, 1]],
  [[3, 38], [38], [3, 1], [3, 38], [2, 1, 1]],
  [[41, 2], [2], [41, 1], [41, 2], []],
  [[67], [67], [1], [3, 67], []],
];

function check(recipe: Recipe, lanes: 'f64x2' | 'f32x4', tolerance: number): void {
  const graph = build(recipe, true);
  const inputs = data(graph).map((each) => (lanes === 'f32x4' ? each.map(Math.fround) : each));
  const expected = interpret(graph, inputs);
  if (expected.some((values) => values.some((v) => !(Math.abs(v) < (lanes === 'f32x4' ? 1e4 : 1e12))))) return;
  const outputs = expected.map((values) => new Float64Array(values.length));
  generateWasm(lowerGraph(graph), { lanes }).run(inputs, outputs);
  expectEqual(outputs, expected, graph, tolerance);
}

it('random programs compute what their definitions say', () => {
  fc.assert(
    fc.property(recipes(FAMILIES), (recipe) => check(recipe, 'f64x2', 1e-11)),
    { numRuns: 400, seed: 11 },
  );
});

it('random programs in float32 lanes compute the same to float32 accuracy, with short tensors in float64', () => {
  fc.assert(
    fc.property(recipes(FAMILIES), (recipe) => check(recipe, 'f32x4', 2e-3)),
    { numRuns: 100, seed: 12 },
  );
});

it('the comparison can fail', () => {
  const graph = build({ inputs: FAMILIES[4]!, steps: [[0, 1000, 0, 1]] }, true);
  expect(() => expectEqual([new Float64Array(67)], interpret(graph, data(graph)), graph)).toThrow();
});
