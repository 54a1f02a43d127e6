// `npm run docs:dev` and `npm run docs:build`: installs the site generator of docs/ when it is missing, then runs it.
import { join } from 'node:path';
import { install } from './bootstrap/install.mjs';
import { root, runStep } from './steps.mjs';

const [command = 'build', ...args] = process.argv.slice(2);
const docs = join(root, 'docs');
const log = (/** @type {string} */ message) => console.error(message);

const installed = await install(docs, log);
if (installed !== 0) process.exit(1);
const vitepress = join(docs, 'node_modules', 'vitepress', 'bin', 'vitepress.js');
const { code } = await runStep({ name: command, command: [process.execPath, vitepress, command, ...args], cwd: docs });
process.exitCode = code;
