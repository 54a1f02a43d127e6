import { type Dataset, drawIndices, getDataset, type TestSplit, type TrainSplit, toFloat, type ValidationSplit } from '@bpc/bench';
import { describe, expect, expectTypeOf, it } from 'vitest';

// These expectations are checked by the type checker (npm run check), which also fails on an unused @ts-expect-error.
const learn = (split: TrainSplit): number => split.count;
const select = (split: ValidationSplit): number => split.count;

describe('splits', () => {
  it('of different roles are different types: test enters neither learning nor selection', async () => {
    const data: Dataset = await getDataset('digits');
    expectTypeOf(data.test).not.toExtend<TrainSplit>();
    expectTypeOf(data.test).not.toExtend<ValidationSplit>();
    expectTypeOf(data.validation).not.toExtend<TrainSplit>();
    expectTypeOf(data.train).toExtend<TrainSplit>();
    expectTypeOf(data.test).toEqualTypeOf<TestSplit>();
    expect(learn(data.train)).toBe(1197);
    expect(select(data.validation)).toBe(300);
    // @ts-expect-error: the test split is not for learning
    learn(data.test);
    // @ts-expect-error: nor for selection
    select(data.test);
    // @ts-expect-error: validation images are not learned from
    learn(data.validation);
  });

  it('of every role can be converted, for the final score needs it', async () => {
    const { test, normalisation } = await getDataset('digits');
    expectTypeOf(toFloat).parameter(0).toExtend<{ readonly count: number }>();
    expect(toFloat(test, [0], normalisation)).toHaveLength(64);
    expectTypeOf(drawIndices).returns.toEqualTypeOf<number[]>();
  });
});
