// Turns the outcome of a command into counts. A command that fails counts at least one failure, whatever its report says.

/** @typedef {{ passed: number, failed: number }} Counts */

/** @param {Counts} a @param {Counts} b @returns {Counts} */
export const addCounts = (a, b) => ({ passed: a.passed + b.passed, failed: a.failed + b.failed });

/** @param {number} code @param {Counts} counts @returns {Counts} */
const atLeastOne = (code, counts) => (code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts);

/** A command without a report: one. @param {number} code @returns {Counts} */
export const countCommand = (code) => (code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });

/**
 * Tests in vitest's JSON report. A file that could not be loaded has no tests and counts as one failure; a run without any
 * report is a failure too.
 *
 * @param {number} code
 * @param {{ numPassedTests: number, numFailedTests: number, testResults: { status: string, assertionResults: { status: string }[] }[] }} [report]
 * @returns {Counts}
 */
export function countTests(code, report) {
  if (report === undefined) return { passed: 0, failed: 1 };
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  );
  return atLeastOne(code, { passed: report.numPassedTests, failed: report.numFailedTests + broken.length });
}

/**
 * Steps of `npm run check` and `npm run examples`.
 *
 * @param {number} code
 * @param {{ code: number }[]} [results]
 * @returns {Counts}
 */
export function countSteps(code, results = []) {
  const passed = results.filter((result) => result.code === 0).length;
  return atLeastOne(code, { passed, failed: results.length - passed });
}
