import { ConfigError, ShapeError } from '@bpc/core';
import { decodeJpeg } from '../images/decode-jpeg.js';
import { imagePart } from '../images/image-part.js';
import type { FileTree } from '../images/zip-archive.js';
import type { OpenLayout, Parts } from '../parts.js';

/**
 * Tiny-ImageNet in its official layout: `train/<wnid>/images/*.JPEG`, `val/images`, `val/val_annotations.txt`, `wnids.txt`.
 *
 * The official validation images are the test part, because labels of the official test images were never published.
 * Classes are numbered by the sorted WordNet ids, images by sorted path.
 *
 * @throws ShapeError if an image is not of the data set's size or cannot be read (it is named); ConfigError if the lists
 * disagree with each other or with the images.
 */
export async function readTinyImageNet(layout: OpenLayout, tree: FileTree): Promise<Parts> {
  const list = tree.names.find((name) => name === 'wnids.txt' || name.endsWith('/wnids.txt'));
  if (list === undefined) throw new ConfigError(`${tree.path} has no wnids.txt`, 'use the official layout of Tiny-ImageNet');
  const root = list.slice(0, -'wnids.txt'.length);
  const wnids = lines(await tree.read(list)).sort();
  if (wnids.length !== layout.classes) {
    throw new ConfigError(`${list} in ${tree.path} has ${wnids.length} classes, expected ${layout.classes}`, 'use the original file');
  }
  const classOf = new Map(wnids.map((wnid, index) => [wnid, index]));
  const train = tree.names.flatMap((name) => {
    const [part, wnid, images, file] = name.startsWith(root) ? name.slice(root.length).split('/') : [];
    if (part !== 'train' || images !== 'images' || file === undefined || !isImage(file)) return [];
    return [{ name, label: known(classOf, wnid, `${name} in ${tree.path}`) }];
  });
  const annotations = `${root}val/val_annotations.txt`;
  const test = lines(await tree.read(annotations)).map((line) => {
    const [file, wnid] = line.split('\t');
    return { name: `${root}val/images/${file}`, label: known(classOf, wnid, `${annotations} in ${tree.path}`) };
  });
  test.sort((a, b) => (a.name < b.name ? -1 : 1));
  const part = (points: readonly { readonly name: string; readonly label: number }[]) =>
    imagePart({
      tree,
      names: points.map(({ name }) => name),
      labels: points.map(({ label }) => label),
      size: layout.shape[0] * layout.shape[1] * layout.shape[2],
      decode: (bytes, file) => decodeExactly(bytes, file, layout.shape),
    });
  return { train: part(train), test: part(test) };
}

const isImage = (file: string): boolean => /\.jpe?g$/i.test(file);

const lines = (bytes: Uint8Array): string[] =>
  new TextDecoder()
    .decode(bytes)
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');

function known(classOf: ReadonlyMap<string, number>, wnid: string | undefined, where: string): number {
  const label = classOf.get(wnid ?? '');
  if (label === undefined) throw new ConfigError(`${where} belongs to '${wnid}', which is not in wnids.txt`, 'use the official layout');
  return label;
}

function decodeExactly(bytes: Uint8Array, file: string, [height, width]: OpenLayout['shape']): Uint8Array {
  const image = decodeJpeg(bytes, file);
  if (image.height === height && image.width === width) return image.data;
  throw new ShapeError(`${file} is ${image.height} × ${image.width}, expected ${height} × ${width}`, 'use the original file');
}
