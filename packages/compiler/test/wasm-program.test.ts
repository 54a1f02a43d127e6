import { ConfigError } from '@bpc/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as ir from '../src/ir/index.js';
import { type Builder, type Graph, graphBuilder, type Node } from '../src/ir/index.js';
import { sizeOf } from '../src/ir/shape.js';
import { lowerGraph } from '../src/targets/js/lower.js';
import { compileToJs } from '../src/targets/js/target.js';
import { generateWasm, generateWasmAsync } from '../src/targets/js/wasm/index.js';

const wave = (size: number, seed = 0) => Float64Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + seed));
const outputsOf = (graph: Graph) => graph.outputs.map(({ shape }) => new Float64Array(sizeOf(shape)));
const wasmOf = (graph: Graph, lanes: 'f64x2' | 'f32x4' = 'f64x2') => generateWasm(lowerGraph(graph), { lanes });

function results(
  graph: Graph,
  inputs: readonly Float64Array[],
  run: (i: readonly Float64Array[], o: Float64Array[]) => void,
): Float64Array[] {
  const outputs = outputsOf(graph);
  run(inputs, outputs);
  return outputs;
}

function expectClose(found: readonly Float64Array[], want: readonly Float64Array[], tolerance: number): void {
  want.forEach((each, k) => {
    const scale = Math.max(1, ...each.map(Math.abs));
    each.forEach((x, i) => expect(Math.abs(found[k]![i]! - x)).toBeLessThanOrEqual(tolerance * scale));
  });
}

/** A regression with a loop over the data and scalars after it. */
function regression(fixed: readonly number[], rows = 203, columns = 5): Graph {
  const g = graphBuilder();
  const [w, x, y] = [g.input([columns, 1], 'float32'), g.input([rows, columns], 'float32'), g.input([rows, 1], 'float32')];
  const z = ir.matMul(g, x, w, false, false);
  const rest = ir.binary(g, 'Sub', ir.unary(g, 'Sigmoid', z), y);
  const value = ir.reduce(g, 'Sum', ir.unary(g, 'Softplus', z), [0, 1], false);
  return { ...g.finish([value, ir.matMul(g, x, rest, true, false)], 'regression'), fixed };
}
const data = () => [wave(5, 1), wave(203 * 5, 2), wave(203, 3)];

/** Scalars that depend on each other, some loops between them, and uses of early ones at the end. */
function longChain(g: Builder, length: number): Node[] {
  const x = g.input([4], 'float32');
  const series = g.input([100], 'float32');
  let y: Node = x;
  const kept: Node[] = [];
  for (let i = 0; i < length; i++) {
    y = ir.binary(
      g,
      'Add',
      ir.unary(g, 'Sin', ir.binary(g, 'Mul', y, ir.scalar(g, 1 + i / 1000))),
      ir.binary(g, 'Mul', x, ir.scalar(g, 0.5)),
    );
    if (i % 100 === 0) kept.push(y);
    if (i % 500 === 250) {
      const total = ir.reduce(g, 'Sum', ir.binary(g, 'Mul', series, ir.reduce(g, 'Sum', y, [0], false)), [0], false);
      y = ir.binary(g, 'Add', y, ir.binary(g, 'Mul', total, ir.scalar(g, 1e-3)));
    }
  }
  return [y, ...kept];
}

describe('a module', () => {
  it('is valid, and the same bytes and the same bits after a second compilation', () => {
    for (const lanes of ['f64x2', 'f32x4'] as const) {
      const [first, second] = [wasmOf(regression([1]), lanes), wasmOf(regression([1]), lanes)];
      expect(WebAssembly.validate(first.bytes)).toBe(true);
      expect(first.bytes).toEqual(second.bytes);
      expect(results(regression([]), data(), first.run)).toEqual(results(regression([]), data(), second.run));
    }
  });

  it('is the same when it is compiled off the calling thread', async () => {
    const graph = regression([]);
    const later = await generateWasmAsync(lowerGraph(graph), { lanes: 'f64x2' });
    expect(later.bytes).toEqual(wasmOf(graph).bytes);
    expect(results(graph, data(), later.run)).toEqual(results(graph, data(), wasmOf(graph).run));
  });

  it('comes with a text that says what it computes', () => {
    expect(wasmOf(regression([])).source).toMatch(/^;; WebAssembly f64x2: \d+ bytes, \d+ bytes of memory[\s\S]*for\(let i0=0/);
  });

  it('of a long straight line is several functions that hand over scalars, and computes the same', () => {
    const g = graphBuilder();
    const graph = g.finish(longChain(g, 3000), 'chain');
    const wasm = wasmOf(graph);
    const module = new WebAssembly.Module(wasm.bytes);
    expect(WebAssembly.Module.exports(module).map(({ name }) => name)).toEqual(['run']);
    // One type, function and code entry each: the section of functions starts with their count.
    expect(functionCount(wasm.bytes)).toBeGreaterThan(2);
    const inputs = [wave(4), wave(100, 5)];
    const javascript = compileToJs(graph, { printer: 'javascript' });
    expectClose(results(graph, inputs, wasm.run), results(graph, inputs, javascript.runSync), 1e-9);
  });

  it('has few locals, although every operation has a value', () => {
    const g = graphBuilder();
    const { bytes } = wasmOf(g.finish(longChain(g, 3000), 'chain'));
    expect(Math.max(...localCounts(bytes))).toBeLessThan(200);
  });

  it('lets arrays that are not needed at the same time share memory', () => {
    const g = graphBuilder();
    let x: Node = g.input([100, 200], 'float32');
    for (let i = 0; i < 12; i++) x = ir.cumSum(g, ir.unary(g, 'Sin', x), { axis: 1, exclusive: false, reverse: false });
    const graph = g.finish([ir.reduce(g, 'Sum', x, [0, 1], false)], 'chain of arrays');
    const memory = Number(/(\d+) bytes of memory/.exec(wasmOf(graph).source)?.[1]);
    expect(memory).toBeLessThan(5 * 100 * 200 * 8);
    const inputs = [wave(100 * 200)];
    const javascript = compileToJs(graph, { printer: 'javascript' });
    expectClose(results(graph, inputs, wasmOf(graph).run), results(graph, inputs, javascript.runSync), 1e-9);
  });

  describe('in an engine that refuses it', () => {
    afterEach(() => vi.restoreAllMocks());
    it.each([
      [{ lanes: 'f64x2' }, /SIMD/, /javascript/],
      [{ lanes: 'f64x2', fma: true }, /fused multiply-add/, /leave fma out/],
    ] as const)('is a ConfigError with a remedy (%o)', (options, message, remedy) => {
      vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
      const attempt = () => generateWasm(lowerGraph(regression([])), options);
      expect(attempt).toThrow(ConfigError);
      expect(attempt).toThrow(message);
      expect(attempt).toThrow(remedy);
    });
  });
});

describe('inputs that stay the same', () => {
  it('are given once, in whatever layout, and not read again', () => {
    const plain = wasmOf(regression([]));
    const bound = wasmOf(regression([1, 2]));
    const [w, x, y] = data();
    const expected = results(regression([]), data(), plain.run);
    bound.bind([undefined, x, y]);
    const none = new Float64Array(0);
    expect(results(regression([]), [w!, none, none], bound.run)).toEqual(expected);
    // What the caller writes later changes nothing.
    x!.fill(0);
    expect(results(regression([]), [w!, x!, none], bound.run)).toEqual(expected);
  });

  it('may be given again', () => {
    const bound = wasmOf(regression([1, 2]));
    const [w, x, y] = data();
    bound.bind([undefined, wave(203 * 5, 9), y]);
    bound.bind([undefined, x]);
    expect(results(regression([]), [w!], bound.run)).toEqual(results(regression([]), data(), wasmOf(regression([])).run));
  });

  it('are read at every call as long as they are not given', () => {
    const { run } = wasmOf(regression([1, 2]));
    const other = [wave(5), wave(203 * 5, 7), wave(203, 8)];
    for (const inputs of [data(), other, data()]) {
      expect(results(regression([]), inputs, run)).toEqual(results(regression([]), inputs, wasmOf(regression([])).run));
    }
  });

  it.each([2, 3, 4, 5, 7])('are kept by column for %d rows modulo the lanes too', (rows) => {
    for (const lanes of ['f64x2', 'f32x4'] as const) {
      const inputs = [wave(5, 1), wave((200 + rows) * 5, 2), wave(200 + rows, 3)];
      const [plain, fixed] = [regression([], 200 + rows), regression([1], 200 + rows)];
      expect(results(fixed, inputs, wasmOf(fixed, lanes).run)).toEqual(results(plain, inputs, wasmOf(plain, lanes).run));
    }
  });
});

/** Content of the section with this number. */
function sectionOf(bytes: Uint8Array, wanted: number): { readonly start: number; readonly end: number } {
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at];
    const [length, start] = unsigned(bytes, at + 1);
    if (id === wanted) return { start, end: start + length };
    at = start + length;
  }
  throw new Error(`no section ${wanted}`);
}

function unsigned(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]!;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, at];
  }
}

const functionCount = (bytes: Uint8Array): number => unsigned(bytes, sectionOf(bytes, 3).start)[0];

function localCounts(bytes: Uint8Array): number[] {
  let [count, at] = unsigned(bytes, sectionOf(bytes, 10).start);
  return Array.from({ length: count }, () => {
    const [size, body] = unsigned(bytes, at);
    let [groups, next] = unsigned(bytes, body);
    let sum = 0;
    for (; groups > 0; groups--) {
      const [own, type] = unsigned(bytes, next);
      sum += own;
      next = type + 1;
    }
    at = body + size;
    return sum;
  });
}
