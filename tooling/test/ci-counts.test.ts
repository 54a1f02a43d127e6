import { describe, expect, it } from 'vitest';
import { countCommand, countSteps, countTests } from '../ci-counts.mjs';

const file = (status: string, ...assertions: string[]) => ({ status, assertionResults: assertions.map((each) => ({ status: each })) });

describe('counts of a CI run', () => {
  it('are those of the report when the command succeeds', () => {
    expect(countTests(0, { numPassedTests: 3, numFailedTests: 0, testResults: [file('passed', 'passed')] })).toEqual({
      passed: 3,
      failed: 0,
    });
    expect(countSteps(1, [{ code: 0 }, { code: 2 }, { code: 0 }])).toEqual({ passed: 2, failed: 1 });
  });

  it('include test files that could not be loaded', () => {
    const testResults = [file('failed'), file('failed', 'passed', 'failed')];
    expect(countTests(1, { numPassedTests: 1, numFailedTests: 1, testResults })).toEqual({ passed: 1, failed: 2 });
  });

  it('show a failure when the command failed and its report does not', () => {
    const report = { numPassedTests: 5, numFailedTests: 0, testResults: [file('passed', 'passed')] };
    expect(countTests(1, report)).toEqual({ passed: 5, failed: 1 });
    expect(countTests(137, undefined)).toEqual({ passed: 0, failed: 1 });
    expect(countTests(0, undefined)).toEqual({ passed: 0, failed: 1 });
    expect(countSteps(1, [])).toEqual({ passed: 0, failed: 1 });
    expect(countCommand(130)).toEqual({ passed: 0, failed: 1 });
  });
});
