import { item } from '../../../ir/shape.js';
import type { Generated } from '../generated.js';
import { kernels } from '../kernels/index.js';
import { assignMemory } from '../memory.js';
import { printProgram } from '../print.js';
import type { Call, LoopProgram } from '../program.js';
import { compileLoop } from './loop.js';
import { execute, type Machine, NOTHING } from './machine.js';
import { scalarCode } from './scalars.js';

/**
 * A program that runs without generating code: every operation is a function of this package, called once per chunk.
 *
 * Computes what the JavaScript printer computes, in the same order, to the same bits.
 */
export function interpret(program: LoopProgram): Generated {
  const { statements } = printProgram(program);
  const machine: Machine = {
    scalars: NOTHING,
    lanes: NOTHING,
    memory: allocate(program, assignMemory(program.storages, statements)),
    variables: new Int32Array(Math.max(1, ...program.items.map((each) => (each.kind === 'loop' ? each.extents.length : 0)))),
    start: 0,
  };
  const scalars = scalarCode(machine);
  const steps: (() => void)[] = [];
  let lanes = 0;
  const flush = () => {
    const done = scalars.flush();
    if (done.kernels.length > 0) steps.push(() => execute(done, machine.scalars, 1));
  };
  const spilled = new Set<number>();
  const spill = (level: number) => {
    for (const storage of program.storages) {
      if (!storage.spill || storage.level > level || spilled.has(storage.id)) continue;
      spilled.add(storage.id);
      const registers = storage.spill.map(scalars.compute);
      flush();
      steps.push(() => copyScalars(machine, registers, storage.id));
    }
  };
  for (const entry of program.items) {
    spill(entry.level);
    if (entry.kind === 'loop') {
      const loop = compileLoop(entry, machine, scalars);
      flush();
      lanes = Math.max(lanes, loop.lanes);
      steps.push(loop.run);
    } else {
      flush();
      steps.push(callStep(machine, entry));
    }
  }
  spill(Number.POSITIVE_INFINITY);
  const outputStart = program.storages.length;
  program.outputs.forEach(({ scalars: values, copy }, k) => {
    const registers = values?.map(scalars.compute) ?? [];
    flush();
    if (registers.length > 0) steps.push(() => copyScalars(machine, registers, outputStart + k));
    if (copy) steps.push(() => machine.memory[outputStart + k]?.set(item(machine.memory, copy.id)));
  });
  machine.lanes = new Float64Array(lanes);
  machine.scalars = new Float64Array(scalars.count);
  for (const [register, value] of scalars.literals) machine.scalars[register] = value;
  const given = program.storages.filter(({ kind }) => kind === 'input' || kind === 'output');
  return {
    source: statements.map(({ text }) => text).join('\n'),
    run(inputs, outputs) {
      for (let k = 0; k < outputs.length; k++) machine.memory[outputStart + k] = outputs[k] ?? NOTHING;
      for (const { id, kind, position = 0 } of given) machine.memory[id] = (kind === 'input' ? inputs : outputs)[position] ?? NOTHING;
      for (let k = 0; k < steps.length; k++) steps[k]?.();
      for (let k = 0; k < outputs.length; k++) machine.memory[outputStart + k] = NOTHING;
      for (const { id } of given) machine.memory[id] = NOTHING;
    },
  };
}

function allocate({ storages, outputs }: LoopProgram, { sizes, shared }: ReturnType<typeof assignMemory>): Float64Array[] {
  const slots = sizes.map((size) => new Float64Array(size));
  const own = storages.map(({ id, kind, size, fill, values }) => {
    const slot = shared.get(id);
    if (kind === 'constant') return Float64Array.from(values ?? []);
    if (kind !== 'temporary') return NOTHING;
    return slot === undefined ? new Float64Array(size).fill(fill ?? 0) : item(slots, slot);
  });
  return [...own, ...outputs.map(() => NOTHING)];
}

function copyScalars({ memory, scalars }: Machine, registers: readonly number[], to: number): void {
  const target = memory[to] as Float64Array;
  for (let k = 0; k < registers.length; k++) target[k] = scalars[registers[k] as number] as number;
}

function callStep({ memory }: Machine, { kernel, geometry, output, inputs }: Call): () => void {
  // The lowering names kernels by operation, and each takes the geometry that the lowering makes for it.
  const call = kernels[kernel as keyof typeof kernels] as (geometry: object, ...arrays: readonly Float64Array[]) => void;
  const arrays = [output, ...inputs];
  const given: Float64Array[] = arrays.map(() => NOTHING);
  return () => {
    for (let k = 0; k < arrays.length; k++) given[k] = item(memory, item(arrays, k).id);
    call(geometry, ...given);
    given.fill(NOTHING);
  };
}
