import { item } from '../../../ir/shape.js';
import { type Loop, NEUTRAL, type Root } from '../program.js';
import { reachable } from './accesses.js';
import { append, block, type Code, f64, get, i32, type Local, local, put, repeat, set } from './code.js';
import { blockAt, type Emission } from './emission.js';
import type { Evaluator } from './evaluator.js';
import { logAccumulator, logTurns } from './log-sums.js';
import { isVectorMath } from './math.js';
import { storeScalar } from './memory-access.js';
import { F64, I32, V128 } from './opcodes.js';
import { type Accumulator, clear, fill, horizontal, widen } from './reductions.js';
import { printScalarRoot, printVectorRoot } from './roots.js';

/** Takes the result of a reduction to a scalar. */
export type Totals = (name: string, value: Local) => void;

/** Turns of a loop with float32 lanes before its partial sums go into float64 ones. */
const CHUNK = 64;

type Reduction = Extract<Root, { kind: 'total' | 'inner' }>;
const reduces = (root: Root): root is Reduction => root.kind === 'total' || root.kind === 'inner';

/**
 * Copies of the body whose instructions are interleaved: exp and its like are long chains of dependent operations, and
 * every turn waits for the sums of the turn before. Timed on regressions; more copies take registers away.
 */
function copiesOf({ lanes: { width } }: Emission, { roots, extents }: Loop): number {
  const depth = extents.length;
  const length = extents.at(-1) ?? 1;
  const values = reachable(
    roots.map(({ value }) => value),
    (e) => e.depth < depth,
  );
  const heavy = [...values].some(({ op }) => isVectorMath(op));
  const sums = roots.filter(reduces).length;
  const wanted = heavy ? 2 : sums > 0 && sums <= 2 && roots.length === sums ? 4 : sums > 0 ? 2 : 1;
  return length >= 4 * width * wanted ? wanted : 1;
}

/** Prints one loop nest into the straight line: the innermost variable in lanes, its last turn with the lanes that are left. */
export function printLoop(emission: Emission, evaluate: Evaluator, loop: Loop, totals: Totals): void {
  const { roots, extents } = loop;
  const top = blockAt(emission, 0);
  for (const root of roots) if (root.kind === 'accumulate') append(top.code, fill(emission.memory.use(root.place.storage), root.reduce));
  if (extents.length === 0) for (const root of roots) printScalarRoot(emission, evaluate, root, totals);
  else if (extents.includes(0)) printNothing(emission, loop, totals);
  else printNest(emission, evaluate, loop, totals);
}

/** No turn at all: results are neutral elements. */
function printNothing(emission: Emission, { roots, extents, inner }: Loop, totals: Totals): void {
  const top = blockAt(emission, 0);
  for (const root of roots) {
    if (root.kind === 'total') totals(root.name, put(top, F64, f64(NEUTRAL[root.reduce])));
    else if (root.kind === 'inner' && !extents.slice(0, extents.length - inner).includes(0))
      append(top.code, fill(emission.memory.use(root.place.storage), root.reduce));
  }
}

function printNest(emission: Emission, evaluate: Evaluator, loop: Loop, totals: Totals): void {
  const { roots, extents, inner } = loop;
  const top = blockAt(emission, 0);
  const depth = extents.length;
  const counters = extents.map(() => local(I32));
  const bodies = extents.slice(0, -1).map(block);
  const { width } = emission.lanes;
  const [counter, length] = [item(counters, depth - 1), item(extents, depth - 1)];
  const copies = copiesOf(emission, loop);
  const accumulators = accumulatorsOf(emission, loop);
  const cleared = [...accumulators.values()].flatMap((each) => clear(emission.lanes, each));
  const flush = [...accumulators.values()].flatMap((each) => widen(emission, each));
  const hasLogs = [...accumulators.values()].some(({ reduce }) => reduce === 'SumLog1p');
  const turns = hasLogs ? logTurns(emission.lanes, copies) : CHUNK;
  const turn = (count: number, live: number): Code => {
    const body = block();
    Object.assign(emission, { blocks: [top, ...bodies, body], counters, copies: count, live });
    for (const root of roots) printVectorRoot(emission, evaluate, root, reduces(root) ? accumulators.get(root) : undefined);
    return body.code;
  };
  let code = innermostLoop({ counter, length, step: width * copies, width, copies, turn, flush, turns });
  // Also after short innermost loops, when the nest as a whole is long.
  if (inner !== 1 && depth > 1) append(code, flush);
  for (let level = depth; level >= 1; level--) {
    if (level < depth) {
      const own = item(counters, level - 1);
      code = [...i32(0), ...set(own), ...repeat(own, 1, item(extents, level - 1), [...item(bodies, level - 1).code, ...code])];
    }
    if (inner > 0 && level - 1 === depth - inner) {
      emission.blocks = [top, ...bodies.slice(0, level - 1)];
      code = [...cleared, ...code, ...afterInner(emission, accumulators)];
    }
  }
  if (inner === 0) append(top.code, cleared);
  append(top.code, code);
  emission.blocks = [top];
  for (const [root, accumulator] of accumulators) {
    if (root.kind === 'total') totals(root.name, put(top, F64, horizontal(emission, accumulator)));
  }
}

function accumulatorsOf({ lanes: { bytes, width } }: Emission, { roots, extents, inner }: Loop): Map<Reduction, Accumulator> {
  const terms = extents.slice(inner > 0 ? extents.length - inner : 0).reduce((a, b) => a * b, 1);
  const long = bytes === 4 && terms > CHUNK * width;
  const make = ({ reduce }: Reduction): Accumulator =>
    reduce === 'SumLog1p' ? logAccumulator() : { reduce, partial: local(V128), wide: long ? local(V128) : undefined };
  return new Map(roots.filter(reduces).map((root) => [root, make(root)] as const));
}

type Turns = {
  readonly counter: Local;
  readonly length: number;
  readonly step: number;
  readonly width: number;
  readonly copies: number;
  readonly turn: (copies: number, live: number) => Code;
  /** What has to be done after so many turns, if anything. */
  readonly flush: Code;
  readonly turns: number;
};

/** Whole turns with all copies, then whole vectors, then the lanes that are left. */
function innermostLoop({ counter, length, step, width, copies, turn, flush, turns }: Turns): Code {
  const main = length - (length % step);
  const code: Code = [...i32(0), ...set(counter)];
  if (main > 0 && flush.length > 0) append(code, chunked(counter, main, step, turns, turn(copies, width), flush));
  else if (main > 0) append(code, repeat(counter, step, main, turn(copies, width)));
  const advance = (from: number) => append(code, [...i32(from), ...set(counter)]);
  for (let at = main; at + width <= length; at += width) {
    advance(at);
    append(code, turn(1, width));
  }
  if (length % width > 0) {
    advance(length - (length % width));
    append(code, turn(1, length % width));
  }
  return code;
}

/** The same turns, with `flush` after every few of them. */
function chunked(counter: Local, main: number, step: number, turns: number, body: Code, flush: Code): Code {
  const stride = turns * step;
  const whole = main - (main % stride);
  const end = local(I32);
  const code: Code = [];
  if (whole > 0) {
    append(code, [...i32(stride), ...set(end)]);
    append(code, repeat(end, stride, whole + 1, [...repeat(counter, step, end, body), ...flush]));
  }
  if (main > whole) append(code, repeat(counter, step, main, body));
  return code;
}

/** After the innermost loops of a nest: each result goes to its place. */
function afterInner(emission: Emission, accumulators: ReadonlyMap<Reduction, Accumulator>): Code {
  const code: Code = [];
  for (const [root, accumulator] of accumulators) {
    if (root.kind !== 'inner') continue;
    const result = local(F64);
    append(code, [...horizontal(emission, accumulator), ...set(result)]);
    append(code, storeScalar(emission, { placement: emission.memory.use(root.place.storage), index: root.place.index }, get(result)));
  }
  return code;
}
