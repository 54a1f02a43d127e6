import { ConfigError } from '@bpc/core';
import { namesOf, parseOptions, positiveInteger, usageOf } from '../option-values.js';
import { type Counts, type MethodName, methodNames } from './methods.js';

/** The channels that the goals are about. */
export const goalWidth = 128;

/** Ours, and the peer. */
export const divergenceSubjects = ['onnx:cpu', 'torch-eager'] as const;

/** What the user asked for. */
export interface DivergenceBenchOptions {
  readonly methods: readonly MethodName[];
  /** Images per class, of every method; and of contrastive divergence alone, whose memory is looked at. */
  readonly ipc: readonly number[];
  readonly memoryIpc: readonly number[];
  readonly counts: Counts;
  /** Rounds of the race. */
  readonly repeats: number;
  readonly secondsPerRound: number;
  readonly threads: number;
  readonly width: number;
  readonly python: string;
}

const all = { method: methodNames.join(','), repeats: '5', threads: '2', width: String(goalWidth) };
const quick = { repeats: '2' };

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const options = { method: text, ipc: text, repeats: text, threads: text, width: text, python: text, paper: flag, quick: flag } as const;
  return parseOptions({ args: [...args], options }, `${usageOf({ ...all, ipc: '10' })} --python PATH --quick --paper`);
}

/**
 * Reads the words after `bpc bench divergences`.
 *
 * @throws ConfigError naming the option, the value and the remedy.
 */
export function divergenceBenchOptions(args: readonly string[]): DivergenceBenchOptions {
  const given = parse(args);
  const values = { ...all, ...(given.quick ? quick : {}), ...given };
  if (values.quick && values.paper) throw new ConfigError('--quick and --paper ask for different counts', 'pass one of the two');
  const methods = namesOf('method', values.method, methodNames);
  const ipc = [...new Set((values.ipc ?? '10').split(',').map((count) => positiveInteger('ipc', count, 10)))];
  return {
    methods,
    ipc,
    memoryIpc: given.ipc === undefined && !values.quick && methods.includes('bpc-cd') ? [50] : [],
    counts: values.paper ? 'paper' : values.quick ? 'quick' : 'reduced',
    repeats: positiveInteger('repeats', values.repeats),
    secondsPerRound: values.quick ? 0.2 : 2,
    threads: positiveInteger('threads', values.threads),
    width: positiveInteger('width', values.width),
    python: values.python ?? process.env['BPC_PYTHON'] ?? 'python3',
  };
}
