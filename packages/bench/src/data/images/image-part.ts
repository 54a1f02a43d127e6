import type { Part } from '../parts.js';
import type { FileTree } from './zip-archive.js';

const PIECE = 128;

/**
 * Image files as a part: read and decoded some at a time.
 *
 * @param options.decode - to uint8 pixels of one image; is told the name for its messages.
 */
export function imagePart(options: {
  readonly tree: FileTree;
  readonly names: readonly string[];
  readonly labels: ArrayLike<number>;
  readonly size: number;
  readonly decode: (bytes: Uint8Array, file: string) => Uint8Array;
}): Part {
  const { tree, names, labels, size, decode } = options;
  return {
    labels,
    async *images() {
      for (let start = 0; start < names.length; start += PIECE) {
        const some = names.slice(start, start + PIECE);
        const piece = new Uint8Array(some.length * size);
        for (const [i, name] of some.entries()) piece.set(decode(await tree.read(name), `${name} in ${tree.path}`), i * size);
        yield piece;
      }
    },
  };
}
