import { threefry2x32 } from './threefry.js';
import type { Tree } from './tree.js';
import { treeEntries } from './tree.js';

/**
 * 16 hexadecimal digits that differ when any bit, shape, dtype or name of a tree differs (by accident, not by an adversary:
 * Threefry in place of a cryptographic hash, which needs a secure context in browsers).
 */
export async function treeFingerprint(tree: Tree): Promise<string> {
  let [a, b] = [0, 0];
  const mix = (x: number, y: number) => {
    [a, b] = threefry2x32(a, b, x, y);
  };
  for (const [path, leaf] of treeEntries(tree)) {
    for (const character of `${path}:${leaf.dtype}[${leaf.shape}]`) mix(character.codePointAt(0) ?? 0, 1);
    const values = await leaf.data();
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i + 4 <= bytes.length; i += 4) mix(view.getUint32(i, true), 2);
    for (let i = bytes.length & ~3; i < bytes.length; i++) mix(bytes[i] ?? 0, 3);
  }
  return [a, b].map((word) => word.toString(16).padStart(8, '0')).join('');
}
