// Writes the version of @bpc/samplers where its provenance reads it: without node: modules, and without importing JSON.
import { readFileSync, writeFileSync } from 'node:fs';

const { version } = JSON.parse(readFileSync(new URL('../packages/samplers/package.json', import.meta.url), 'utf8'));
const file = new URL('../packages/samplers/src/version.ts', import.meta.url);
writeFileSync(file, readFileSync(file, 'utf8').replace(/VERSION = '.*'/, `VERSION = '${version}'`));
