// Runs tfjs-core's own test suite on the eager ONNX backend:
//   node conformance/run.mjs [--grep TEXT]… [--json]
// Exit status 1 if a spec fails, a kernel runs where it may not, or too few specs ran.
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { withSuite } from './bundle.mjs';
import { exclusionOf, forbiddenFallbacks, readExclusions } from './exclusions.mjs';
import { printSummary } from './summary.mjs';

/** Fewer passing specs on the backend mean that part of the suite was not loaded. */
const FLOOR = 3500;
/** Suites that register and set backends of their own to test tfjs itself. */
const OWN_BACKENDS = ['Detects memory leaks in kernels'];

const { values: options } = parseArgs({ options: { grep: { type: 'string', multiple: true }, json: { type: 'boolean', default: false } } });
const require = createRequire(import.meta.url);

/** @param {string} path */
async function runSuite(path) {
  const exclusions = await readExclusions();
  const jasmine = require('jasmine-core').boot();
  jasmine.DEFAULT_TIMEOUT_INTERVAL = 20_000;
  const { registered, isOurs, loweredKernels, NAME } = require(path);
  const { stats } = await registered;
  const environment = jasmine.getEnv();

  const result = {
    passed: 0,
    /** Of these, specs that tfjs runs per backend; the others test its helpers. */
    passedOnBackend: 0,
    /** @type {{ name: string, message: string }[]} */
    failed: [],
    /** @type {Record<string, number>} */
    excluded: {},
    /** Skipped by the suite itself. */
    pending: 0,
  };
  const wanted = (/** @type {string} */ name) => options.grep === undefined || options.grep.some((text) => name.includes(text));
  environment.configure({
    random: false,
    specFilter: (/** @type {{ getFullName(): string }} */ spec) => {
      const name = spec.getFullName();
      return wanted(name) && exclusionOf(exclusions, name) === undefined;
    },
  });
  const perBackend = (/** @type {string} */ name) => name.includes(` ${NAME} {`);
  let current = '';
  globalThis.beforeEach(() => {
    const onBackend = perBackend(current) && !OWN_BACKENDS.some((suite) => current.startsWith(suite));
    if (onBackend && !isOurs()) throw new Error(`'${current}' runs on another backend`);
  });
  const failures = (
    /** @type {{ fullName: string, failedExpectations?: { message: string }[] }} */ { fullName, failedExpectations = [] },
  ) => failedExpectations.slice(0, 1).map(({ message }) => ({ name: fullName, message }));
  environment.addReporter({
    specStarted(/** @type {{ fullName: string }} */ { fullName }) {
      current = fullName;
    },
    specDone(/** @type {{ fullName: string, status: string, failedExpectations: { message: string }[] }} */ spec) {
      if (spec.status === 'passed') {
        result.passed++;
        if (perBackend(spec.fullName)) result.passedOnBackend++;
      } else if (spec.status === 'failed') result.failed.push(...failures(spec));
      else if (spec.status === 'pending') result.pending++;
      else if (wanted(spec.fullName)) {
        const reason = exclusionOf(exclusions, spec.fullName)?.reason ?? 'disabled by the suite';
        result.excluded[reason] = (result.excluded[reason] ?? 0) + 1;
      }
    },
    // Errors in hooks belong to a suite, errors outside of any to the whole run.
    suiteDone: (/** @type {{ fullName: string, failedExpectations: { message: string }[] }} */ suite) =>
      result.failed.push(...failures(suite)),
    jasmineDone: (/** @type {{ failedExpectations: { message: string }[] }} */ done) =>
      result.failed.push(...failures({ ...done, fullName: 'outside of any spec' })),
  });
  // The suite provokes hundreds of warnings.
  const { warn } = console;
  console.warn = () => {};
  const start = performance.now();
  await environment.execute();
  console.warn = warn;
  const seconds = (performance.now() - start) / 1000;
  const statistics = stats();
  const forbidden = forbiddenFallbacks(exclusions, statistics, new Set(loweredKernels()));
  const complete = options.grep !== undefined || result.passedOnBackend >= FLOOR;
  return {
    ...result,
    ...statistics,
    forbidden,
    complete,
    floor: FLOOR,
    seconds,
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

const result = await withSuite(runSuite);
if (options.json) console.log(JSON.stringify(result));
else printSummary(result);
const good = result.failed.length === 0 && result.forbidden.length === 0 && result.complete && result.passed > 0;
// Timers of the suite may still wait.
process.exit(good ? 0 : 1);
