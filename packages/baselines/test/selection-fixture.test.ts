import { forgettingCounts, forgettingSubset, herding, kCenterGreedy } from '@bpc/baselines';
import { describe, expect, it } from 'vitest';
import { loadFixture } from '../../../tooling/fixtures/load.js';

interface SelectionCase {
  readonly classes: number;
  readonly perClass: number;
  readonly globalFirst: number;
  readonly globalCount: number;
  readonly visits: number;
}

const fixture = loadFixture<SelectionCase>('selection');
const { classes, perClass: pointsPerClass, globalFirst, globalCount, visits } = fixture.cases['all']!;
const labels = fixture.values('labels');
const features = { data: Float64Array.from(fixture.values('features')), shape: [labels.length, 6] as const };
const quota = { labels, classes, pointsPerClass };
const expected = (name: string) => Array.from(fixture.values(name));

describe('the selection fixture', () => {
  it('has the herded points in order of selection', () => {
    expect(Array.from(herding({ features, ...quota }).indices)).toEqual(expected('herding'));
  });

  it('has the centres of each class, and their radii', () => {
    const { indices, radii } = kCenterGreedy({ features, ...quota });
    expect(Array.from(indices)).toEqual(expected('kcenter'));
    fixture.expectClose(
      'kcenter_radius',
      radii.filter((_, i) => i % pointsPerClass > 0),
      'f64',
    );
  });

  it('has the centres of the whole data from a given first one', () => {
    const { indices } = kCenterGreedy({ features, points: globalCount, first: { index: globalFirst } });
    expect(Array.from(indices)).toEqual(expected('kcenter_global'));
  });

  it('has the forgetting events, and the choice by either convention for points never learned', () => {
    const record = forgettingCounts({ data: fixture.values('correct'), shape: [visits, labels.length] });
    expect(Array.from(record.counts)).toEqual(expected('forgetting_counts'));
    expect(Array.from(record.neverLearned)).toEqual(expected('never_learned'));
    expect(Array.from(forgettingSubset({ record, ...quota }).indices)).toEqual(expected('forgetting_selected_toneva'));
    const counted = forgettingSubset({ record, ...quota, neverLearned: 'counted' });
    expect(Array.from(counted.indices)).toEqual(expected('forgetting_selected_count'));
  });
});
