import type { Reduce } from '../../ir/index.js';
import { item } from '../../ir/shape.js';
import { printAffine } from './affine.js';
import type { Expression } from './expression.js';
import { printNumber, printOperands, printOperation } from './print-scalar.js';
import { type Call, LARGE_PRODUCT, type Loop, type LoopProgram, NEUTRAL, type Place, type Root } from './program.js';

/**
 * One piece of the program's straight line: a scalar, a whole loop or a call. `weight` counts what V8 has to compile,
 * `trips` how often its innermost body runs.
 */
export type Statement = { readonly text: string; readonly weight: number; readonly trips: number };

/** JavaScript of a program, before it is cut into functions. Storages are `b0 …`, extents `n10 …`, geometries `g0 …`. */
export type PrintedProgram = {
  readonly statements: readonly Statement[];
  readonly geometries: readonly object[];
  readonly dynamic: boolean;
};

type Scope = { readonly lines: string[]; readonly names: Map<number, string> };

const scope = (): Scope => ({ lines: [], names: new Map() });

const update = (reduce: Reduce, target: string, value: string): string =>
  reduce === 'Sum'
    ? `${target}+=${value};`
    : reduce === 'Prod'
      ? `${target}*=${value};`
      : `${target}=Math.${reduce === 'Max' ? 'max' : 'min'}(${target},${value});`;

/** Prints loops in order, and every scalar right before the first loop that needs it. */
export function printProgram(program: LoopProgram): PrintedProgram {
  const statements: Statement[] = [];
  const geometries: object[] = [];
  const top = scope();
  let scopes: Scope[] = [top];
  let names = 0;
  let dynamic = false;
  const at = (depth: number): Scope => item(scopes, depth);
  const named = (e: Expression): string | undefined =>
    e.op === 'number' ? printNumber(e.text) : e.op === 'total' ? e.text : at(e.depth).names.get(e.id);
  const name = (e: Expression): string => {
    const found = named(e);
    if (found === undefined) throw new Error(`${e.op} is used before it is computed`);
    return found;
  };
  /** The name of a value, after printing whatever it needs. A stack, since chains are deeper than the call stack allows. */
  const compute = (value: Expression): string => {
    const stack = [value];
    for (let e = stack.at(-1); e !== undefined; e = stack.at(-1)) {
      if (named(e) !== undefined) {
        stack.pop();
        continue;
      }
      const missing = printOperands(e).filter((operand) => named(operand) === undefined);
      if (missing.length > 0) {
        stack.push(...missing.reverse());
        continue;
      }
      stack.pop();
      const own = `t${names++}`;
      const { lines, names: known } = at(e.depth);
      lines.push(`const ${own}=${e.load ? loaded(e) : printOperation(e, name)};`);
      known.set(e.id, own);
    }
    return name(value);
  };
  const loaded = ({ load, args }: Expression): string => {
    const [row] = args;
    if (row) dynamic = true;
    return load ? `b${load.storage.id}[${row ? `${name(row)}*${load.scale}+` : ''}${printAffine(load.index)}]` : '';
  };
  const flush = () => {
    for (const text of top.lines.splice(0)) statements.push({ text, weight: 1, trips: 0 });
  };
  const target = ({ storage, index, dynamic: row }: Place): string =>
    `b${storage.id}[${row ? `${compute(row.row)}*${row.scale}+` : ''}${printAffine(index)}]`;

  const printRoot = (root: Root, body: Scope, before: string[], middle: string[], after: string[], last: string[]): void => {
    const value = compute(root.value);
    switch (root.kind) {
      case 'total':
        before.push(`let ${root.name}=${NEUTRAL[root.reduce]};`);
        if (root.reduce === 'SumLog1p') {
          const product = `${root.name}p`;
          const log = `${root.name}+=Math.log1p(${product});`;
          before.push(`let ${product}=0;`);
          body.lines.push(`${product}+=${value}+${product}*${value};if(${product}>${LARGE_PRODUCT}){${log}${product}=0;}`);
          last.push(log);
        } else body.lines.push(update(root.reduce, root.name, value));
        break;
      case 'store':
        body.lines.push(`${target(root.place)}=${value};`);
        break;
      case 'inner':
        middle.push(`let ${root.name}=${NEUTRAL[root.reduce]};`);
        body.lines.push(update(root.reduce, root.name, value));
        after.push(`${target(root.place)}=${root.name};`);
        break;
      case 'accumulate': {
        before.push(`b${root.place.storage.id}.fill(${NEUTRAL[root.reduce]});`);
        const place = target(root.place);
        const { dynamic: row } = root.place;
        if (row) dynamic = true;
        const inside = row ? `if(${compute(row.row)}>=0&&${compute(row.row)}<${row.count})` : '';
        body.lines.push(inside + update(root.reduce, place, value));
      }
    }
  };

  const printLoop = (loop: Loop): void => {
    const depth = loop.extents.length;
    scopes = [top, ...loop.extents.map(scope)];
    // A body without a loop around it is part of the straight line, and so is what comes before it.
    const [before, middle, after, last]: [string[], string[], string[], string[]] = [depth === 0 ? top.lines : [], [], [], []];
    for (const root of loop.roots) printRoot(root, at(depth), before, middle, after, last);
    const weight = scopes.slice(1).reduce((sum, { lines }) => sum + lines.length, 0) + before.length + last.length;
    let text = '';
    for (let d = depth; d >= 1; d--) {
      text = `for(let i${d - 1}=0;i${d - 1}<n${loop.extents[d - 1]};i${d - 1}++){\n${at(d).lines.join('\n')}\n${text}}`;
      if (loop.inner > 0 && d - 1 === depth - loop.inner) text = `${middle.join('')}${text}${after.join('')}`;
    }
    scopes = [top];
    flush();
    if (depth > 0)
      statements.push({ text: before.join('') + text + last.join(''), weight: weight + 1, trips: loop.extents.reduce((a, b) => a * b, 1) });
  };

  const printCall = (call: Call): void => {
    flush();
    const geometry = geometries.push(call.geometry) - 1;
    // While types are being learned, only loops run.
    statements.push({
      text: `if(limit>99)${call.kernel}(g${geometry},b${call.output.id},${call.inputs.map((b) => `b${b.id}`).join(',')});`,
      weight: 1,
      trips: 0,
    });
  };

  const spilled = new Set<number>();
  const spill = (level: number) => {
    for (const storage of program.storages) {
      if (!storage.spill || storage.level > level || spilled.has(storage.id)) continue;
      spilled.add(storage.id);
      storage.spill.forEach((value, k) => {
        const own = compute(value);
        top.lines.push(`b${storage.id}[${k}]=${own};`);
      });
    }
  };
  for (const entry of program.items) {
    spill(entry.level);
    if (entry.kind === 'loop') printLoop(entry);
    else printCall(entry);
  }
  // What only the scalars of the outputs read, after the last loop.
  spill(Number.POSITIVE_INFINITY);
  program.outputs.forEach(({ scalars, copy }, k) => {
    scalars?.forEach((value, i) => {
      const own = compute(value);
      top.lines.push(`outputs[${k}][${i}]=${own};`);
    });
    if (copy) top.lines.push(`outputs[${k}].set(b${copy.id});`);
  });
  flush();
  return { statements, geometries, dynamic };
}
