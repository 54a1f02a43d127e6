// Finds what can run ONNX Runtime's GPU providers here: the machine's own drivers, or Chromium's software Vulkan driver.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where distributions put the manifest of SwiftShader, the Vulkan driver in software that comes with Chromium. */
const SWIFTSHADER = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/usr/lib64/chromium-browser/vk_swiftshader_icd.json',
  '/usr/lib/chromium-browser/vk_swiftshader_icd.json',
  '/opt/google/chrome/vk_swiftshader_icd.json',
];

/** @typedef {{ provider: string, driver: string, env: NodeJS.ProcessEnv }} Device */

/** @param {string} provider @param {NodeJS.ProcessEnv} env @returns {{ ok: boolean, reason: string }} */
function probe(provider, env) {
  const script = fileURLToPath(new URL('probe.mjs', import.meta.url));
  const { stdout } = spawnSync(process.execPath, [script, provider], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    timeout: 120_000,
  });
  try {
    return JSON.parse(stdout);
  } catch {
    return { ok: false, reason: 'the process ended while the provider started' };
  }
}

/**
 * A device for `provider`, or why there is none. WebGPU falls back to software, which proves numbers, not speed.
 *
 * @param {string} provider
 * @returns {{ device: Device } | { reason: string }}
 */
export function findDevice(provider) {
  const own = probe(provider, {});
  const chosen = process.env['VK_ICD_FILENAMES'] ?? process.env['VK_DRIVER_FILES'];
  if (own.ok) return { device: { provider, driver: chosen ?? "the machine's own driver", env: {} } };
  if (provider !== 'webgpu' || chosen !== undefined) return { reason: own.reason };
  for (const manifest of SWIFTSHADER.filter((path) => existsSync(path))) {
    const env = { VK_ICD_FILENAMES: manifest };
    if (probe(provider, env).ok) return { device: { provider, driver: `SwiftShader (software), ${manifest}`, env } };
  }
  return { reason: `${own.reason}; nor is there Chromium's software driver (Debian: apt-get install chromium libvulkan1)` };
}
