import { join } from 'node:path';
import { openFolder } from '../images/folder-tree.js';
import { type FileTree, openZip } from '../images/zip-archive.js';
import type { ManifestLayout } from '../manifest.js';
import type { OpenLayout, Parts } from '../parts.js';
import { readCelebA } from './celeba.js';
import { readCifarRecords } from './cifar-records.js';
import { readCsvSet } from './csv.js';
import { readIdxSet } from './idx.js';
import { readPngStrips } from './png-strips.js';
import { readSvhn } from './svhn-mat.js';
import { readTinyImageNet } from './tiny-imagenet.js';

/**
 * Read the files of a layout with the reader of its format, and give the parts to `use`; files are open until it returns.
 */
export async function withLayout<Result>(
  format: ManifestLayout['format'],
  layout: OpenLayout,
  use: (parts: Parts) => Promise<Result>,
): Promise<Result> {
  switch (format) {
    case 'idx':
      return use(await readIdxSet(layout));
    case 'csv':
      return use(await readCsvSet(layout));
    case 'png-strips':
      return use(await readPngStrips(layout));
    case 'cifar-10':
      return use(await readCifarRecords(layout, { labelBytes: 1, labelAt: 0 }));
    case 'cifar-100':
      return use(await readCifarRecords(layout, { labelBytes: 2, labelAt: layout.labels === 'coarse' ? 0 : 1, strataAt: 1 }));
    case 'svhn-mat':
      return use(await readSvhn(layout));
    case 'usps-hdf5': {
      // The HDF5 library is a megabyte of WebAssembly that starts when it is imported.
      const { readUsps } = await import('./usps.js');
      return use(await readUsps(layout));
    }
    case 'tiny-imagenet-zip':
      return withTree(openZip(await layout.verify('archive')), async (tree) => use(await readTinyImageNet(layout, tree)));
    case 'tiny-imagenet-folder':
      await layout.verify('wnids');
      return withTree(openFolder(layout.folder), async (tree) => use(await readTinyImageNet(layout, tree)));
    case 'celeba-zip':
      return withTree(openZip(await layout.verify('archive')), async (tree) => use(await readCelebA(layout, tree)));
    case 'celeba-folder':
      return withTree(openFolder(join(layout.folder, 'img_align_celeba')), async (tree) => use(await readCelebA(layout, tree)));
  }
}

async function withTree<Result>(opening: Promise<FileTree>, use: (tree: FileTree) => Promise<Result>): Promise<Result> {
  const tree = await opening;
  try {
    return await use(tree);
  } finally {
    await tree.close();
  }
}
