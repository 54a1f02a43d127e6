// Puts a working @tensorflow/tfjs-node into a folder, from the npm and PyPI registries only (Linux x86-64).
//
// The package's own install script downloads an addon and libtensorflow from outside the registries, which this repository
// never does. Here libtensorflow and its C headers come out of the tensorflow-cpu wheel, whose hash is checked, and the
// package's own addon sources are compiled against them.
//
// Environment: PYTHON (python3 with pip), CXX (g++), TF_WHEEL (a wheel that is here already).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
/** The last version whose wheel has the C API that tfjs-node 4.22 compiles against. */
const TENSORFLOW = '2.12.1';
const WHEEL_SHA256 = '7ffb595707a8fb376deaddc768784c7a0242b16cbc6e06393b1733b2ce19f855';
/** The newest Node-API level that tfjs-node 4.22 declares. */
const NAPI = 8;
const { PYTHON = 'python3', CXX = 'g++' } = process.env;

/** What this script cannot do here, told to the user without a stack. */
export class InstallError extends Error {}

/** @param {string} command @param {readonly string[]} args @param {string} failure @param {string} [cwd] */
function execute(command, args, failure, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
  if (error !== undefined) throw new InstallError(`'${command}' cannot be run: ${error.message}`);
  if (status !== 0) throw new InstallError(failure);
}

/** Loads the backend in a process of its own and multiplies two matrices. @param {string} packageFolder */
function works(packageFolder) {
  const script = `
    const { tensor2d, matMul, getBackend } = require('@tensorflow/tfjs-core');
    require(process.argv[1]);
    const x = tensor2d([[1, 2], [3, 4]]);
    process.exit(getBackend() === 'tensorflow' && matMul(x, x).dataSync().join() === '7,10,15,22' ? 0 : 1);`;
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };
  return spawnSync(process.execPath, ['-e', script, packageFolder], { env, cwd: here, stdio: 'ignore' }).status === 0;
}

/** @param {string} folder @returns {Promise<string>} the wheel's path */
async function wheel(folder) {
  const given = process.env['TF_WHEEL'];
  if (given === undefined) {
    // Any Python ABI will do, only the C library is used.
    const platforms = ['manylinux_2_17_x86_64', 'manylinux2014_x86_64'].flatMap((name) => ['--platform', name]);
    const tags = ['--implementation', 'cp', '--python-version', '3.11', '--abi', 'cp311', ...platforms];
    const args = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', ...tags, '--dest', folder];
    execute(PYTHON, [...args, `tensorflow-cpu==${TENSORFLOW}`], 'pip could not download the wheel; check the connection to PyPI');
  }
  const file = given ?? join(folder, readdirSync(folder).find((name) => name.endsWith('.whl')) ?? '');
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  const found = hash.digest('hex');
  if (found !== WHEEL_SHA256) throw new InstallError(`${file} has sha256 ${found}, expected ${WHEEL_SHA256}`);
  return file;
}

/** What `binding.gyp` does, without node-gyp and Node's own headers. @param {string} folder @param {string} packageFolder @param {string} addon */
function compileAddon(folder, packageFolder, addon) {
  const sources = readdirSync(join(packageFolder, 'binding')).filter((name) => name.endsWith('.cc'));
  mkdirSync(dirname(addon), { recursive: true });
  const defines = [`-DNAPI_VERSION=${NAPI}`, '-DBUILDING_NODE_EXTENSION', '-DNODE_GYP_MODULE_NAME=tfjs_binding'];
  const includes = [join(folder, 'node_modules', 'node-api-headers', 'include'), join(packageFolder, 'deps', 'include')];
  const libraries = [
    `-L${join(packageFolder, 'deps', 'lib')}`,
    '-ltensorflow',
    '-ltensorflow_framework',
    '-Wl,-rpath,$ORIGIN/../../deps/lib',
  ];
  const inputs = sources.map((name) => join(packageFolder, 'binding', name));
  const flags = ['-std=c++17', '-O2', '-fPIC', '-shared', '-w', ...defines, ...includes.map((path) => `-I${path}`)];
  execute(CXX, [...flags, ...inputs, '-o', addon, ...libraries], `the addon does not compile against tensorflow-cpu ${TENSORFLOW}`);
}

/**
 * Installs tfjs-node into `folder`, or does nothing if it is there and works.
 *
 * @param {string} folder
 * @param {(message: string) => void} log
 */
export async function installTfjsNode(folder, log) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new InstallError(`tfjs-node is built for Linux x64 only (this is ${process.platform} ${process.arch})`);
  const packageFolder = join(folder, 'node_modules', '@tensorflow', 'tfjs-node');
  const addon = join(packageFolder, 'lib', `napi-v${NAPI}`, 'tfjs_binding.node');
  const stampFile = join(folder, '.installed');
  const lock = readFileSync(join(here, 'package-lock.json'));
  const stamp = `${createHash('sha256').update(lock).digest('hex')} tensorflow-cpu ${TENSORFLOW} napi ${NAPI}\n`;
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp && works(packageFolder)) return;

  rmSync(stampFile, { force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ['package.json', 'package-lock.json', '.npmrc']) copyFileSync(join(here, name), join(folder, name));
  log('npm: @tensorflow/tfjs-node …');
  execute(
    'npm',
    ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    'npm ci failed; check the connection to the npm registry',
    folder,
  );
  // A user who installs both has one tfjs-core; the folder lies inside the repository, whose copy is found without this one.
  rmSync(join(folder, 'node_modules', '@tensorflow', 'tfjs-core'), { recursive: true, force: true });

  const temporary = mkdtempSync(join(folder, '.wheel-'));
  try {
    log(`pip: tensorflow-cpu ${TENSORFLOW} (about 220 MB) …`);
    const file = await wheel(temporary);
    log('Unpacking libtensorflow and compiling the addon …');
    execute(PYTHON, [join(here, 'unpack-wheel.py'), file, join(temporary, 'deps')], 'the wheel could not be unpacked');
    rmSync(join(packageFolder, 'deps'), { recursive: true, force: true });
    renameSync(join(temporary, 'deps'), join(packageFolder, 'deps'));
    compileAddon(folder, packageFolder, addon);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  if (!works(packageFolder)) throw new InstallError(`the addon was built but does not work with Node ${process.version}`);
  writeFileSync(stampFile, stamp);
}
