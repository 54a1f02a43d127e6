import type { Dataset } from '../data/dataset.js';
import { getDataset } from '../data/get-dataset.js';
import { type PreprocessName, preprocess } from '../data/preprocess.js';
import type { PhaseProgress } from '../progress/index.js';
import type { CommandContext } from './context.js';

interface LoadOptions {
  readonly name: string;
  /** A folder that the user named with `--data`. */
  readonly dataDir?: string | undefined;
  /** Which labels, for a data set that has several kinds. */
  readonly labels?: string | undefined;
  /** How its images are prepared. Default: standardised. */
  readonly preprocess?: PreprocessName;
}

/** Loads a data set onto shared memory, downloading it and fitting its whitening transform with a progress line if need be. */
export async function loadDataset({ reporter, signal }: CommandContext, options: LoadOptions): Promise<Dataset> {
  const { name, dataDir, labels, preprocess: prepared = 'standardise' } = options;
  const phases = new Map<string, PhaseProgress>();
  const phaseOf = (title: string, total: number): PhaseProgress => {
    const phase = phases.get(title) ?? reporter.phase(title, total);
    phases.set(title, phase);
    return phase;
  };
  const dataset = await getDataset(name, {
    shared: true,
    signal,
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(labels === undefined ? {} : { labels }),
    onProgress({ file, received, total = 0 }) {
      phaseOf(`downloading ${file}`, total).update(received, `${(received / 1e6).toFixed(1)} MB`);
    },
    onRead({ images, total }) {
      // Small sets are there at once; a line about them would only hide the ones that take time.
      if (total >= 50_000) phaseOf(`reading ${name}`, total).update(images, `${images} images`);
    },
  });
  const ready = await preprocess(dataset, prepared, {
    signal,
    onProgress: (share) => phaseOf(`fitting ${prepared} to ${name}`, 100).update(Math.floor(100 * share), ''),
  });
  for (const phase of phases.values()) phase.finish();
  return ready;
}
