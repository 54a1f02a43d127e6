import type { Command } from 'commander';
import { listPresets } from '../../config/index.js';
import { methodTraits } from '../../methods/traits.js';
import { type CommandContext, printResult } from '../context.js';
import type { Runner } from '../runner.js';
import { textTable } from '../text-table.js';

function presets(context: CommandContext): void {
  const list = listPresets();
  context.beginWork();
  printResult(context, list, () =>
    textTable(
      ['preset', 'method', 'network', 'numbers'],
      list.map(({ name, method, network, origin }) => [name, methodTraits[method].title, network, origin]),
    ),
  );
}

/** `bpc presets`. */
export function addPresetsCommand(program: Command, run: Runner): void {
  const command = program.command('presets').description('list the presets of all methods, and which of them are tuned');
  command.addHelpText(
    'after',
    `
A preset has settings for every data set and number of images per class. Settings of a file and flags go over it.

Examples:
  bpc presets
  bpc learn --preset small-bpc-w --dataset digits
  bpc learn --preset paper-bpc-cd --dataset cifar10 --ipc 10 --runtime onnx:cuda`,
  );
  run(command, async (context) => presets(context));
}
