import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchRatio, type BenchResult, type BenchRow, ratiosOf, renderBench } from '../bench-support/bench-result.js';
import { loadMeter } from '../bench-support/load.js';
import { type RaceOptions, race } from '../bench-support/race.js';
import { type SmallModelName, smallModels } from '../bench-support/small-models/models.js';
import { type SmallModelSettings, smallModelSettings } from '../bench-support/small-models/settings.js';
import {
  callsOf,
  expectedOf,
  isFloat32,
  type SmallModelSubject,
  type SmallModelTask,
  smallModelCommand,
  smallModelSubjects,
} from '../bench-support/small-models/task.js';
import { stealMeter } from '../bench-support/steal.js';
import type { CommandContext } from '../cli/context.js';
import { packageVersions } from '../runtime-choice/environment.js';

/** What ours should take of JAX's time on the logistic regression, in one compiled loop each. */
const LOGISTIC_GOALS = { float64: 1.2, float32: 0.8 };

/** Rows in microseconds per call, from rows in milliseconds per block. */
export function perCall(rows: readonly BenchRow[], callsOfRow: (subject: string) => number): BenchRow[] {
  return rows.map((row) => {
    const times = Object.fromEntries(
      (['median', 'min', 'max'] as const).flatMap((name) => {
        const ms = row[name];
        return ms === undefined ? [] : [[name, (1000 * ms) / callsOfRow(row.subject)]];
      }),
    );
    return { ...row, ...times, unit: 'µs' };
  });
}

/** Ours over JAX's, precision by precision, and over the model's own goal. */
export function smallModelRatios(rows: readonly BenchRow[], name: SmallModelName, goal: number | undefined): BenchRatio[] {
  const of = (...subjects: readonly SmallModelSubject[]) => rows.filter(({ subject }) => subjects.some((each) => each === subject));
  const loopGoal = (precision: 'float64' | 'float32') => (name === 'logistic' ? LOGISTIC_GOALS[precision] : undefined);
  const mine = of('js')[0];
  const absolute =
    goal === undefined || mine?.median === undefined ? [] : [{ name: `js / ${goal} µs, ${mine.case}`, value: mine.median / goal, goal: 1 }];
  return [
    ...ratiosOf(of('js', 'jax:scan', 'jax:call'), 'js', (peer) => (peer === 'jax:scan' ? loopGoal('float64') : undefined)),
    ...ratiosOf(of('js:float32', 'jax:scan-float32'), 'js:float32', () => loopGoal('float32')),
    ...absolute,
  ];
}

/** Times all subjects on one model. */
async function timeModel(
  name: SmallModelName,
  { subjects, rounds, python }: SmallModelSettings,
  folder: string,
  context: CommandContext,
  notes: Pick<RaceOptions, 'load' | 'onVersion'>,
): Promise<BenchRow[]> {
  const { title, data, calls, float32 } = smallModels[name]();
  const dataFile = join(folder, `${name}.json`);
  writeFileSync(dataFile, JSON.stringify(data));
  const { position, expected } = await expectedOf(name);
  const taking = subjects.filter((subject) => float32 || !isFloat32(subject));
  const contestants = taking.map((subject) => {
    const own = smallModelSubjects[subject];
    const task: SmallModelTask = {
      model: name,
      subject,
      calls: callsOf(calls, subject),
      position,
      expected: isFloat32(subject) ? { ...expected, tolerance: 1e-3 } : expected,
      dataFile,
      ...('loop' in own ? own : {}),
    };
    return { subject, commands: [smallModelCommand(task, python)] };
  });
  const rows = await race({ name: title, contestants, rounds, secondsPerRound: 0.3, ...notes }, context);
  return perCall(rows, (subject) => callsOf(calls, taking.find((each) => each === subject) ?? 'js'));
}

/**
 * `bpc bench small-models`: microseconds of one value and gradient of models as samplers have them, for our js runtime by
 * printer and for JAX, in one run.
 */
export async function run(context: CommandContext, args: readonly string[]): Promise<void> {
  const settings = smallModelSettings(args);
  context.beginWork();
  const rows: BenchRow[] = [];
  const ratios: BenchRatio[] = [];
  const versions: Record<string, string> = { ...packageVersions() };
  const [load, stolen] = [loadMeter(), stealMeter()];
  const onVersion = (subject: string, version: string) => {
    if (subject.startsWith('jax:')) versions['jax'] = version;
  };
  const folder = mkdtempSync(join(tmpdir(), 'bpc-small-models-'));
  try {
    for (const name of settings.models) {
      const timed = await timeModel(name, settings, folder, context, { load, onVersion });
      rows.push(...timed);
      ratios.push(...smallModelRatios(timed, name, smallModels[name]().goal));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const environment = {
    node: process.version,
    processor: cpus()[0]?.model.trim(),
    cores: cpus().length,
    load: load.record(),
    stolenPercent: stolen(),
    versions,
  };
  const result: BenchResult = { bench: 'small-models', rows, ratios, environment };
  context.print(context.json ? `${JSON.stringify(result)}\n` : `${renderBench(result)}\n`);
}
