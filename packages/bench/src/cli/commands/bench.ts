import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '@bpc/core';
import type { Command } from 'commander';
import { suggest } from '../../config/index.js';
import type { CommandContext } from '../context.js';
import type { Runner } from '../runner.js';

/** What a module of `benches/` exports. */
export interface Bench {
  /**
   * Runs the bench on the words after its name and prints its result. Calls `context.beginWork()` when the words are
   * understood, so that a refused one is wrong usage and not a failure.
   */
  run(context: CommandContext, args: readonly string[]): Promise<void>;
}

const folder = () => new URL('../../benches/', import.meta.url);

/** Names of the benches, from the files that are there: nobody keeps a list. */
export function benchNames(): string[] {
  const path = fileURLToPath(folder());
  if (!existsSync(path)) return [];
  const names = readdirSync(path).flatMap((file) => /^([a-z][a-z0-9-]*)\.(?:js|ts)$/.exec(file)?.[1] ?? []);
  return [...new Set(names)].sort();
}

const isBench = (module: object): module is Bench => 'run' in module && typeof module.run === 'function';

async function bench(context: CommandContext, [name = '', ...args]: readonly string[]): Promise<void> {
  const names = benchNames();
  if (!names.includes(name)) {
    const near = suggest(name, names);
    const known = names.length === 0 ? 'there are none in this build' : `known ones: ${names.join(', ')}`;
    throw new ConfigError(`unknown bench '${name}'`, near === undefined ? known : `did you mean '${near}'?`);
  }
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const module: object = await import(new URL(`${name}.${extension}`, folder()).href);
  if (!isBench(module)) throw new Error(`bench '${name}' exports no function 'run'`);
  await module.run(context, args);
}

/** `bpc bench <name>`. */
export function addBenchCommand(program: Command, run: Runner): void {
  const command = program
    .command('bench')
    .argument('<name>', 'bench')
    .argument('[args...]', 'options of the bench')
    .allowUnknownOption()
    .description('measure speed against peers, in one run')
    .addHelpText(
      'after',
      `\nBenches: ${benchNames().join(', ') || 'none in this build'}\n\nExamples:\n  bpc bench cd-step\n  bpc bench cd-step --batches 10 --subjects onnx:cpu,tfjs:wasm\n  bpc bench cd-step --json --python /usr/bin/python3\n  bpc bench small-models --models kidiq\n  bpc bench samplers --cases nuts --seeds 3`,
    );
  run(command, (context, _options, args) => bench(context, args));
}
