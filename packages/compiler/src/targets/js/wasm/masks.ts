import type { Code } from './code.js';
import { simd } from './encode.js';
import { bitOp, scalarOp } from './opcodes.js';

const bytes = (value: number): Code => [...simd(bitOp.const), ...new Array<number>(16).fill(value)];

/** All ones where the condition on the stack holds, else all zeros. */
export const splatMask = (condition: Code): Code => [...bytes(0xff), ...bytes(0), ...condition, scalarOp.select];

/** The first `live` lanes. */
export const liveMask = (live: number, laneBytes: number): Code => [
  ...simd(bitOp.const),
  ...Array.from({ length: 16 }, (_, i) => (i < live * laneBytes ? 0xff : 0)),
];
