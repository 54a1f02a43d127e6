import { foldIn, hostNormal, type Key, key } from '@bpc/core';
import { type Closeness, closeness, posteriorOf } from './closeness.js';
import { type Method, methods } from './coresets.js';
import { pick, SIZE, type TabularData, type WeightedPoints } from './data.js';
import { laplaceOf, nuts, type Sampled } from './regression.js';
import type { Settings } from './settings.js';

/** The posterior of one coreset against that of all points. */
export interface Score extends Closeness {
  readonly method: string;
  /** M asked for. */
  readonly size: number;
  /** Points with a positive weight. */
  readonly points: number;
  readonly seed: number;
  readonly worstRhat: number;
  readonly smallestEss: number;
  readonly divergences: number;
}

export interface Study {
  readonly methods: readonly Pick<Method, 'name' | 'note'>[];
  readonly scores: readonly Score[];
  /** NUTS on all points again, with as many draws as coresets get: what no coreset can be told from. */
  readonly again: Closeness;
  /** Draws of the normal distribution at the full posterior's mode: what is lost by Laplace's approximation alone. */
  readonly laplace: Closeness;
  /** Draws of the prior: no data at all. */
  readonly prior: Closeness;
  /** The posterior that all others are compared with. */
  readonly reference: Sampled;
  /** Making all coresets of one seed, by method, averaged over seeds. */
  readonly seconds: ReadonlyMap<string, number>;
}

const exactly = (draws: Float64Array): Sampled => ({ draws, worstRhat: 1, smallestEss: draws.length / SIZE, divergences: 0 });

/** All coresets of all seeds, each sampled by NUTS. */
export async function study({ full, validation }: TabularData, settings: Settings, progress: (line: string) => void): Promise<Study> {
  const { warmup, draws } = settings.chain;
  const reference = await nuts(full, { key: key(1), warmup, draws: settings.referenceDraws });
  const truth = posteriorOf(full, reference);
  const compare = (points: WeightedPoints, sampled: Sampled) => closeness(posteriorOf(points, sampled), truth, validation);
  const chains = (points: WeightedPoints, own: Key) => nuts(points, { key: own, warmup, draws });
  progress('NUTS on all points: done');

  const rivals = methods(full, settings);
  const scores: Score[] = [];
  const seconds = new Map<string, number>();
  for (const seed of settings.seeds) {
    for (const [m, { name, coresets }] of rivals.entries()) {
      const begun = performance.now();
      const made = await coresets(foldIn(key(2), seed));
      seconds.set(name, (seconds.get(name) ?? 0) + (performance.now() - begun) / 1000 / settings.seeds.length);
      for (const [size, points] of made) {
        const { draws: drawn, ...chainsOf } = await chains(points, foldIn(foldIn(foldIn(key(3), seed), m), size));
        const found = compare(points, { draws: drawn, ...chainsOf });
        scores.push({ method: name, size, seed, points: points.weights.filter((w) => w > 0).length, ...chainsOf, ...found });
      }
      progress(`seed ${seed}, ${name}: done`);
    }
  }

  const count = 4 * draws;
  const none = pick(full, [0], Float64Array.of(0));
  return {
    methods: rivals,
    scores,
    again: compare(full, await chains(full, key(4))),
    laplace: compare(full, exactly(laplaceOf(full).draw(key(5), count).data)),
    prior: compare(none, exactly(Float64Array.from(hostNormal(key(7), count * SIZE)))),
    reference,
    seconds,
  };
}
