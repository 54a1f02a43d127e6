import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
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

/** Reference draws as chains by quantity, named like ours: `theta[0]`. */
export function readDraws(name: ReferencePosteriorName): Record<string, Float64Array[]> {
  const { parameters, draws }: { parameters: string[]; draws: { chains: number; shape: [number, number] } } = read(name, 'reference.json');
  const raw = gunzipSync(readFileSync(new URL(`../../../../tooling/fixtures/posteriordb/${name}/draws.f32.gz`, import.meta.url)));
  const numbers = new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength));
  const [rows, width] = draws.shape;
  const length = rows / draws.chains;
  return Object.fromEntries(
    parameters.map((parameter, k) => [
      fromZero(parameter),
      Array.from({ length: draws.chains }, (_, c) => Float64Array.from({ length }, (__, n) => numbers[(c * length + n) * width + k]!)),
    ]),
  );
}

/** The reference writes `theta[1]` for what we call `theta[0]`. */
export const fromZero = (name: string) => name.replace(/\[(\d+)\]/, (_, index: string) => `[${Number(index) - 1}]`);
