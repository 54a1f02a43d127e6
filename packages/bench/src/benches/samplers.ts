import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchRatio, type BenchResult, type BenchRow, renderBench } from '../bench-support/bench-result.js';
import { loadMeter, tooBusy } from '../bench-support/load.js';
import { memoryCase } from '../bench-support/samplers/memory.js';
import { networkCase } from '../bench-support/samplers/network.js';
import { nutsCase } from '../bench-support/samplers/nuts.js';
import { type SamplerCaseName, samplerBenchOptions } from '../bench-support/samplers/options.js';
import { stepsCase } from '../bench-support/samplers/steps.js';
import { workersCase } from '../bench-support/samplers/workers.js';
import { stealMeter } from '../bench-support/steal.js';
import type { CommandContext } from '../cli/context.js';
import { packageVersions } from '../runtime-choice/environment.js';

type Found = { readonly rows: readonly BenchRow[]; readonly ratios: readonly BenchRatio[] };

/**
 * `bpc bench samplers`: effective draws per second of NUTS against its peers, cold and warm; what a second core adds; steps of
 * Langevin and HMC against JAX; steps of stochastic-gradient samplers over their gradient; and memory over many steps.
 */
export async function run(context: CommandContext, args: readonly string[]): Promise<void> {
  const options = samplerBenchOptions(args);
  context.beginWork();
  const versions: Record<string, string> = { ...packageVersions() };
  const onVersion = (subject: string, version: string) => {
    const [engine = subject] = subject.split(':');
    if (engine !== 'js' && version !== '') versions[engine] = version;
  };
  const [load, stolen] = [loadMeter(), stealMeter()];
  const busy = tooBusy(load.record().start, cpus().length);
  if (busy !== undefined) context.reporter.warn(busy);
  const folder = mkdtempSync(join(tmpdir(), 'bpc-samplers-'));
  const eachModel = async (one: (model: (typeof options.models)[number]) => Promise<Found>): Promise<Found> => {
    const all: Found[] = [];
    for (const model of options.models) all.push(await one(model));
    return { rows: all.flatMap(({ rows }) => rows), ratios: all.flatMap(({ ratios }) => ratios) };
  };
  const cases: Readonly<Record<SamplerCaseName, () => Promise<Found>>> = {
    nuts: () => eachModel((model) => nutsCase({ model, options, folder, load, onVersion }, context)),
    workers: () => eachModel((model) => workersCase(model, options, folder, context, load)),
    steps: () => stepsCase(options, folder, context, { load, onVersion }),
    network: () => networkCase(options, context, load),
    memory: () => memoryCase(options, context, load),
  };
  const rows: BenchRow[] = [];
  const ratios: BenchRatio[] = [];
  try {
    for (const name of options.cases) {
      const found = await cases[name]();
      rows.push(...found.rows);
      ratios.push(...found.ratios);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const environment = {
    node: process.version,
    processor: cpus()[0]?.model.trim(),
    cores: cpus().length,
    seeds: options.seeds,
    load: load.record(),
    stolenPercent: stolen(),
    versions,
  };
  const result: BenchResult = { bench: 'samplers', rows, ratios, environment };
  context.print(context.json ? `${JSON.stringify(result)}\n` : `${renderBench(result)}\n`);
}
