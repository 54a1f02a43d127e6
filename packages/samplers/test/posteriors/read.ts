import { readFileSync } from 'node:fs';
import type { ReferencePosteriorName } from '@bpc/samplers/testing';

/** What a `reference.json` says that tests use. */
export interface ReferenceFile {
  readonly parameters: readonly string[];
  readonly summary: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly check: readonly {
    readonly u: readonly number[];
    readonly log_density: number;
    readonly gradient: readonly number[];
    readonly parameters: readonly number[];
  }[];
}

const read = (name: ReferencePosteriorName, file: string) =>
  JSON.parse(readFileSync(new URL(`../../../../tooling/fixtures/posteriordb/${name}/${file}`, import.meta.url), 'utf8'));

export const readData = (name: ReferencePosteriorName): Readonly<Record<string, unknown>> => read(name, 'data.json');
export const readReference = (name: ReferencePosteriorName): ReferenceFile => read(name, 'reference.json');
