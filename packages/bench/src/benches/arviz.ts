import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ConfigError } from '@bpc/core';
import { type Draws, summary, toCmdStanCsv, toJson } from '@bpc/samplers';
import { arvizCases } from '../bench-support/arviz/cases.js';
import { type ArvizCase, differences, misread } from '../bench-support/arviz/compare.js';
import { type BenchRatio, type BenchResult, type BenchRow, median, renderBench } from '../bench-support/bench-result.js';
import { askOnce } from '../bench-support/subject-process.js';
import type { CommandContext } from '../cli/context.js';
import { packageVersions } from '../runtime-choice/environment.js';

/** Diagnostics are the same formulas in the same precision. */
const LARGEST_DIFFERENCE = 1e-8;

interface ArvizAnswer {
  readonly version: string;
  readonly cases: Readonly<Record<string, ArvizCase>>;
}

function pythonOf(args: readonly string[]): string {
  try {
    return parseArgs({ args: [...args], options: { python: { type: 'string', default: process.env['BPC_PYTHON'] ?? 'python3' } } }).values
      .python;
  } catch (cause) {
    throw new ConfigError((cause instanceof Error ? cause.message : String(cause)).split('\n')[0] ?? '', 'options: --python PATH', {
      cause,
    });
  }
}

/** Writes a case's files. */
function write(folder: string, name: string, index: number, draws: Draws) {
  const path = (file: string) => join(folder, `${index}-${file}`);
  const csv = toCmdStanCsv(draws).map((text, chain) => {
    const file = path(`${chain}.csv`);
    writeFileSync(file, text);
    return file;
  });
  writeFileSync(path('draws.json'), toJson(draws));
  return { name, csv, json: path('draws.json') };
}

function summaryMs(draws: Draws): number {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    summary(draws);
    return performance.now() - start;
  });
  return median(times);
}

/** Rows of one case: differences of each diagnostic, and both summaries' time. */
function rowsOf(name: string, draws: Draws, read: ArvizCase | undefined): BenchRow[] {
  if (read === undefined) return [{ case: name, subject: 'arviz', unit: 'relative error', absent: true, reason: 'no answer' }];
  const complaints = misread(draws, read);
  for (const complaint of complaints) console.error(`${name}: ArviZ reads otherwise: ${complaint}`);
  return [
    ...differences(draws, read).map(
      ({ statistic, largest, count }): BenchRow => ({
        case: name,
        subject: statistic,
        unit: 'relative error',
        max: largest,
        repeats: count,
      }),
    ),
    { case: name, subject: 'numbers misread', unit: 'count', max: complaints.length },
    { case: name, subject: 'summary', unit: 'ms', median: summaryMs(draws) },
    { case: name, subject: 'summary, arviz', unit: 'ms', median: 1000 * read.summarySeconds },
  ];
}

/** The largest difference of each diagnostic over all cases, and how much faster our summary is. */
export function arvizRatios(rows: readonly BenchRow[]): BenchRatio[] {
  const compared = rows.filter(({ unit, max }) => unit === 'relative error' && max !== undefined);
  const largest = (subject: string) => Math.max(...compared.filter((row) => row.subject === subject).map(({ max = 0 }) => max));
  const misreadCounts = rows.filter(({ subject }) => subject === 'numbers misread').map(({ max = 0 }) => max);
  const summaries = rows.flatMap((row) => {
    const theirs = rows.find((each) => each.case === row.case && each.subject === 'summary, arviz')?.median;
    return row.subject === 'summary' && row.median !== undefined && theirs !== undefined
      ? [{ name: `summary / summary, arviz, ${row.case}`, value: row.median / theirs }]
      : [];
  });
  return [
    ...[...new Set(compared.map(({ subject }) => subject))].map((subject) => ({
      name: `${subject}, largest relative difference`,
      value: largest(subject),
      goal: LARGEST_DIFFERENCE,
    })),
    ...(misreadCounts.length === 0
      ? []
      : [{ name: 'names, shapes and numbers that ArviZ reads otherwise', value: Math.max(...misreadCounts), goal: 0 }]),
    ...summaries,
  ];
}

/** Rows of all cases: written to a temporary folder, read by ArviZ there, and compared; absent where Python or ArviZ is. */
export async function arvizRows(
  drawn: Readonly<Record<string, Draws>>,
  python: string,
  signal: AbortSignal,
): Promise<{ readonly rows: BenchRow[]; readonly version?: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'bpc-arviz-'));
  try {
    const cases = Object.entries(drawn).map(([name, draws], i) => write(folder, name, i, draws));
    const script = fileURLToPath(new URL('../../peers/read_with_arviz.py', import.meta.url));
    const answer = await askOnce<ArvizAnswer>({ command: python, args: [script, JSON.stringify({ cases })] }, signal);
    if ('absent' in answer) {
      const absent = { subject: 'arviz', unit: 'relative error', absent: true, reason: answer.absent } as const;
      return { rows: Object.keys(drawn).map((name): BenchRow => ({ case: name, ...absent })) };
    }
    const { version, cases: read } = answer.result;
    return { version, rows: Object.entries(drawn).flatMap(([name, draws]) => rowsOf(name, draws, read[name])) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * `bpc bench arviz`: whether Python's ArviZ opens the draws that we write, sees the same names, shapes and numbers, and computes
 * the same diagnostics from them.
 */
export async function run(context: CommandContext, args: readonly string[]): Promise<void> {
  const python = pythonOf(args);
  context.beginWork();
  const drawn: Record<string, Draws> = {};
  for (const [name, draw] of Object.entries(arvizCases)) drawn[name] = await draw();
  const { rows, version } = await arvizRows(drawn, python, context.signal);
  const versions = { ...packageVersions(), ...(version === undefined ? {} : { arviz: version }) };
  const environment = { node: process.version, processor: cpus()[0]?.model.trim(), cores: cpus().length, versions };
  const result: BenchResult = { bench: 'arviz', rows, ratios: arvizRatios(rows), environment };
  context.print(context.json ? `${JSON.stringify(result)}\n` : `${renderBench(result)}\n`);
}
