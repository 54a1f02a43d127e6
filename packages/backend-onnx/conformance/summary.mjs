/** @typedef {{ name: string, message: string }} Failure */

const sum = (/** @type {Record<string, number>} */ counts) => Object.values(counts).reduce((a, b) => a + b, 0);

const list = (/** @type {Record<string, number>} */ counts) =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

/**
 * @param {{ passed: number, passedOnBackend: number, failed: Failure[], excluded: Record<string, number>, pending: number, complete: boolean, floor: number,
 *   lowered: Record<string, number>, fallback: Record<string, number>, declined: Record<string, Record<string, number>>,
 *   forbidden: string[], seconds: number, peakRssMb: number }} result
 */
export function printSummary(result) {
  for (const { name, message } of result.failed) console.log(`FAILED ${name}\n       ${message.slice(0, 300).replaceAll('\n', ' ')}`);
  for (const kernel of result.forbidden) console.log(`FELL BACK ${kernel}`);
  if (!result.complete) console.log(`TOO FEW: ${result.passedOnBackend} specs passed on the backend, expected at least ${result.floor}`);
  console.log(`passed    ${result.passed}, of which ${result.passedOnBackend} on the backend and the others without one`);
  console.log(`failed    ${result.failed.length}`);
  console.log(`excluded  ${sum(result.excluded)} (and ${result.pending} skipped by the suite itself)`);
  for (const [reason, count] of Object.entries(result.excluded)) console.log(`  ${String(count).padStart(4)}  ${reason}`);
  console.log(`kernel calls on ONNX Runtime  ${sum(result.lowered)}, of ${Object.keys(result.lowered).length} kernels`);
  console.log(`  ${list(result.lowered)}`);
  console.log(`kernel calls on the fallback  ${sum(result.fallback)}, of ${Object.keys(result.fallback).length} kernels`);
  console.log(`  ${list(result.fallback)}`);
  const declined = Object.fromEntries(Object.entries(result.declined).map(([kernel, reasons]) => [kernel, sum(reasons)]));
  console.log(`  of these with a lowering, for a dtype or an attribute it does not cover: ${list(declined)}`);
  console.log(`${result.seconds.toFixed(1)} s, peak memory ${result.peakRssMb} MB`);
}
