import { item } from '../../ir/shape.js';
import type { Fused, Generated } from './generated.js';
import { kernels } from './kernels/index.js';
import { assignMemory } from './memory.js';
import { printProgram, type Statement } from './print.js';
import type { LoopProgram, Storage } from './program.js';

/** V8 never optimises a function above 60 KiB of bytecode; this many statements stay well below. */
const STATEMENTS_PER_FUNCTION = 1000;

let serial = 0;

const matches = (text: string, pattern: RegExp): string[] => [...new Set(text.match(pattern))];

/** A loop with so many trips pays for a call, and a function of its own is optimised sooner and better. */
const LONG_LOOP = 4000;

/** Statements in runs that V8 can optimise. A single loop is never cut. */
function cut(statements: readonly Statement[]): string[] {
  const parts: string[][] = [[]];
  let weight = 0;
  let alone = false;
  for (const statement of statements) {
    const long = statement.trips >= LONG_LOOP;
    if (weight > 0 && (alone || long || weight + statement.weight > STATEMENTS_PER_FUNCTION)) {
      parts.push([]);
      weight = 0;
    }
    alone = long;
    item(parts, parts.length - 1).push(statement.text);
    weight += statement.weight;
  }
  return parts.map((lines) => lines.join('\n'));
}

/** Declarations of the arrays and extents that a piece of code mentions. */
function prelude(text: string, storages: readonly Storage[]): string {
  const arrays = matches(text, /\bb\d+\b/g).flatMap((name) => {
    const storage = item(storages, Number(name.slice(1)));
    return storage.kind === 'input'
      ? [`const ${name}=inputs[${storage.position}];`]
      : storage.kind === 'output'
        ? [`const ${name}=outputs[${storage.position}];`]
        : [];
  });
  const extents = matches(text, /\bn\d+\b/g).map((name) => `const ${name}=${name.slice(1)}<limit?${name.slice(1)}:limit;`);
  return [...arrays, ...extents].join('');
}

/** One function, or several that hand scalars over in an array. */
function functions(parts: readonly string[], storages: readonly Storage[]): string {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) {
    return `return function fused(inputs,outputs,limit=1e9){\n${prelude(only, storages)}\n${only}\n};`;
  }
  const defined = parts.map(
    (text) => new Set([...text.matchAll(/^(?:const|let) ([ta]\d+)=|(?<=[;}\n])let (a\d+)=/gm)].map((m) => m[1] ?? m[2] ?? '')),
  );
  const slots = new Map<string, number>();
  const owner = new Map(defined.flatMap((names, i) => [...names].map((name) => [name, i] as const)));
  const imports = parts.map((text, i) => matches(text, /\b[ta]\d+\b/g).filter((name) => (owner.get(name) ?? i) < i));
  for (const name of imports.flat()) if (!slots.has(name)) slots.set(name, slots.size);
  const bodies = parts.map((text, i) => {
    const given = item(imports, i)
      .map((name) => `const ${name}=S[${slots.get(name)}];`)
      .join('');
    const handed = [...item(defined, i)]
      .filter((name) => slots.has(name))
      .map((name) => `S[${slots.get(name)}]=${name};`)
      .join('');
    return `function part${i}(inputs,outputs,limit){\n${prelude(text, storages)}${given}\n${text}\n${handed}}`;
  });
  return `const S=new Float64Array(${slots.size});\n${bodies.join('\n')}
return function fused(inputs,outputs,limit=1e9){${parts.map((_, i) => `part${i}(inputs,outputs,limit);`).join('')}};`;
}

/** JavaScript source and function of a program. */
export function generate(program: LoopProgram): Generated {
  const { statements, geometries, dynamic } = printProgram(program);
  const parts = cut(statements);
  const { sizes, shared } = assignMemory(program.storages, statements);
  const constants = program.storages.filter((storage) => storage.kind === 'constant');
  const used = Object.keys(kernels).filter((name) => statements.some(({ text }) => new RegExp(`\\b${name}\\(`).test(text)));
  const head = [
    '"use strict";',
    // Functions of equal text share their code and, from the third on, lose the constants they close over.
    `/* program ${serial++} */`,
    `const {${used.join(',')}}=kernels;`,
    ...geometries.map((_, i) => `const g${i}=geometries[${i}];`),
    ...constants.map(({ id }, i) => `const b${id}=constants[${i}];`),
    ...sizes.map((size, i) => `const s${i}=new Float64Array(${size});`),
    ...program.storages.flatMap(({ id, kind, size, fill }) => {
      const slot = shared.get(id);
      if (kind !== 'temporary') return [];
      return slot === undefined ? [`const b${id}=new Float64Array(${size})${fill ? `.fill(${fill})` : ''};`] : [`const b${id}=s${slot};`];
    }),
  ];
  const source = `${head.join('\n')}\n${functions(parts, program.storages)}`;
  const values = constants.map((storage) => Float64Array.from(storage.values ?? []));
  // What the source returns is what `functions` prints.
  const make = new Function('kernels', 'geometries', 'constants', source) as (...bindings: readonly unknown[]) => Fused;
  const run = make(kernels, geometries, values);
  // Rows computed from made-up inputs would be out of range; long programs are no matter of microseconds.
  if (!dynamic && statements.every(({ trips }) => trips < LONG_LOOP)) warmUp(run, program);
  return { run, source };
}

/**
 * Lets V8 see every statement before any loop gets hot. Otherwise it compiles inside the first call, when nothing after
 * the loop has run, and may stay in a version that is several times slower.
 */
function warmUp(run: Fused, program: LoopProgram, calls = 400): void {
  const inputs = program.inputSizes.map((size) => new Float64Array(size).fill(0.5));
  const outputs = program.outputs.map(({ size }) => new Float64Array(size));
  for (let i = 0; i < calls; i++) run(inputs, outputs, 3);
}
