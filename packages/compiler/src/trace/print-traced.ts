import { printGraph } from '../ir/index.js';
import type { InputSource, Traced } from './trace.js';

/** `$1.w` is the leaf `w` of argument 1; noise is numbered, and followed by what it is drawn from. */
function inputName(source: InputSource, position: number): string {
  if (source.kind === 'tensor') return `$${source.argument}${source.path === '' ? '' : `.${source.path}`}`;
  return `${source.kind}${position}`;
}

/** A traced function as text: its graph, with inputs and outputs by their paths, and where its noise comes from. */
export function printTraced<R>({ graph, sources, outputs }: Traced<R>): string {
  const text = printGraph(graph, { inputs: sources.map(inputName), outputs });
  const noise = sources.flatMap((source, i) => {
    if (source.kind === 'tensor') return [];
    const folds = source.folds.map((fold) => (typeof fold === 'number' ? String(fold) : `each of ${fold.each}`));
    return [`// ${inputName(source, i)}: drawn at each call from the key $${[source.argument, ...folds].join(' / ')}`];
  });
  return [...noise, text].join('\n');
}
