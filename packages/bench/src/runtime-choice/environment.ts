import { arch, cpus, platform } from 'node:os';
import { packageVersion } from './optional-package.js';

const recorded = [
  '@bpc/bench',
  '@bpc/core',
  '@bpc/compiler',
  '@bpc/backend-onnx',
  '@bpc/models',
  '@bpc/samplers',
  '@tensorflow/tfjs-core',
  'onnxruntime-node',
];

/** Versions of the packages that can change a number. */
export function packageVersions(): Record<string, string> {
  const found = recorded.map((name) => [name, packageVersion(name)] as const);
  return Object.fromEntries(found.flatMap(([name, version]) => (version === undefined ? [] : [[name, version]])));
}

/** What must be equal for two runs to agree bit for bit, besides settings: versions and processor. */
export function exactEnvironment(): string {
  const versions = Object.entries(packageVersions()).map(([name, version]) => `${name}@${version}`);
  return [`node ${process.version}`, platform(), arch(), cpus()[0]?.model.trim() ?? 'unknown processor', ...versions].join('; ');
}

/** Most memory this process held at any time, its threads included, in MiB. */
export const peakRssMb = (): number => Math.round(process.resourceUsage().maxRSS / 1024);
