import { ConfigError, checkInteger, ShapeError } from '@bpc/core';

/** How many points are chosen: of each class, or of all points together. */
export type Quota =
  | {
      /** Class of each point, `0 … classes − 1`. */
      readonly labels: ArrayLike<number>;
      readonly classes: number;
      /** From 1 to the size of the smallest class. */
      readonly pointsPerClass: number;
    }
  | {
      /** From 1 to the number of points. */
      readonly points: number;
    };

/** Points among which some are chosen, and how many. */
export interface Group {
  /** −1 where classes play no role. */
  readonly label: number;
  /** Increasing. */
  readonly members: Int32Array;
  readonly wanted: number;
}

function membersByClass(labels: ArrayLike<number>, classes: number): Int32Array[] {
  const sizes = new Int32Array(classes);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] ?? Number.NaN;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new ConfigError(
        `labels[${i}] is ${label}, expected an integer in [0, ${classes})`,
        'check the labels and the number of classes',
      );
    }
    sizes[label] = (sizes[label] ?? 0) + 1;
  }
  const members = Array.from(sizes, (size) => new Int32Array(size));
  sizes.fill(0);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] ?? 0;
    const place = sizes[label] ?? 0;
    (members[label] as Int32Array)[place] = i;
    sizes[label] = place + 1;
  }
  return members;
}

/**
 * The groups to choose from, in class order.
 *
 * @throws ConfigError for labels outside the classes, or more points than a class or the data have; ShapeError unless there
 * is one label per point.
 */
export function quotaGroups(count: number, quota: Quota): Group[] {
  if ('points' in quota) {
    checkInteger('points', quota.points, 1);
    if (quota.points > count) {
      throw new ConfigError(`points is ${quota.points}, but there are only ${count}`, `pass at most ${count} points`);
    }
    return [{ label: -1, members: Int32Array.from({ length: count }, (_, i) => i), wanted: quota.points }];
  }
  const { labels, classes, pointsPerClass } = quota;
  checkInteger('classes', classes, 1);
  checkInteger('pointsPerClass', pointsPerClass, 1);
  if (labels.length !== count) {
    throw new ShapeError(`labels has ${labels.length} entries, expected ${count}, one per point`, 'pass one label per point');
  }
  return membersByClass(labels, classes).map((members, label, all) => {
    if (members.length < pointsPerClass) {
      const smallest = Math.min(...all.map((list) => list.length));
      throw new ConfigError(
        `pointsPerClass is ${pointsPerClass}, but class ${label} has only ${members.length} points`,
        smallest > 0 ? `pass at most ${smallest}` : 'leave out classes without points, and number the others without gaps',
      );
    }
    return { label, members, wanted: pointsPerClass };
  });
}
