import { mkdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const require = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));
const CORE = '@tensorflow/tfjs-core';

/** Every import of tfjs-core, by whomever, is the copy whose modules the suite imports by path. */
function oneCore() {
  const root = dirname(require.resolve(`${CORE}/package.json`));
  return {
    name: 'one copy of tfjs-core',
    /** @param {import('esbuild').PluginBuild} esbuild */
    setup(esbuild) {
      esbuild.onResolve({ filter: /^@tensorflow\/tfjs-core(\/|$)/ }, ({ path }) => {
        const inside = path.slice(CORE.length + 1) || 'dist/index.js';
        // Its own files leave the extension out.
        return { path: join(root, inside.endsWith('.js') ? inside : `${inside}.js`) };
      });
    },
  };
}

/**
 * Bundles the backend's sources with tfjs-core's suite and calls `use` with the path of the module.
 *
 * @template T
 * @param {(path: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withSuite(use) {
  // Inside the package, where the modules left outside are found; one file per process, so that runs do not meet.
  const folder = join(here, '..', '.cache');
  const outfile = join(folder, `conformance-${process.pid}.cjs`);
  await mkdir(folder, { recursive: true });
  try {
    await build({
      stdin: { contents: `export * from './setup.mjs';\nimport '${CORE}/dist/tests.js';\n`, resolveDir: here },
      outfile,
      bundle: true,
      // tfjs-core declares its tests free of side effects, which would leave them out.
      ignoreAnnotations: true,
      platform: 'node',
      format: 'cjs',
      target: 'node20',
      conditions: ['@bpc/source'],
      mainFields: ['module', 'main'],
      external: ['onnxruntime-node', 'jasmine-core', 'node-fetch'],
      plugins: [oneCore()],
      logLevel: 'error',
    });
    return await use(outfile);
  } finally {
    await rm(outfile, { force: true });
  }
}
