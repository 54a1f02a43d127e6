import { ConfigError } from '@bpc/core';
import { decodeJpeg } from '../images/decode-jpeg.js';
import { imagePart } from '../images/image-part.js';
import { centreSquare } from '../images/resize.js';
import type { FileTree } from '../images/zip-archive.js';
import type { OpenLayout, Part, Parts } from '../parts.js';

const PARTS = ['train', 'validation', 'test'] as const;

/**
 * CelebA: aligned JPEG images, `attributes` (40 attributes, ±1) and, for the full set, `partition` (0, 1, 2 per image).
 *
 * The label is one attribute: 1 where it is present. Every image is cut to its centred square and scaled to the data set's
 * size. Without a partition file all images are one part.
 *
 * Source: Z. Liu et al., "Deep learning face attributes in the wild" (ICCV 2015), README of the data set.
 *
 * @throws ConfigError if the attribute is unknown (listing the known ones), or an image of the list is missing; ShapeError
 * naming an image that cannot be read.
 */
export async function readCelebA(layout: OpenLayout, tree: FileTree): Promise<Parts> {
  const attribute = layout.labels ?? 'Smiling';
  const table = parseAttributes(await layout.text('attributes'), layout.path('attributes'), attribute);
  const paths = new Map(tree.names.map((name) => [name.split('/').at(-1) ?? name, name]));
  const part = (files: readonly string[]): Part =>
    imagePart({
      tree,
      names: files.map((file) => found(paths, file, tree.path)),
      labels: files.map((file) => table.get(file) ?? -1),
      size: layout.shape[0] * layout.shape[1] * layout.shape[2],
      decode: (bytes, file) => centreSquare(decodeJpeg(bytes, file), layout.shape[0]),
    });
  if (!layout.roles.includes('partition')) return { train: part([...table.keys()]) };
  const members = parsePartition(await layout.text('partition'), layout.path('partition'));
  return { train: part(members.train), validation: part(members.validation), test: part(members.test) };
}

/** Presence of one attribute by file name, in the order of the file. */
function parseAttributes(text: string, path: string, attribute: string): Map<string, number> {
  const [, header = '', ...rows] = text.split(/\r?\n/);
  const names = header.trim().split(/\s+/);
  const column = names.indexOf(attribute);
  if (column < 0) throw new ConfigError(`labels is '${attribute}', expected one of: ${names.join(', ')}`, 'name an attribute of CelebA');
  const table = new Map<string, number>();
  for (const [i, row] of rows.entries()) {
    if (row.trim() === '') continue;
    const [file = '', ...values] = row.trim().split(/\s+/);
    const value = values[column];
    if (values.length !== names.length || (value !== '1' && value !== '-1')) {
      throw new ConfigError(`line ${i + 3} of ${path} is not a file name and ${names.length} values of ±1`, 'use the original file');
    }
    table.set(file, value === '1' ? 1 : 0);
  }
  return table;
}

function parsePartition(text: string, path: string): Record<(typeof PARTS)[number], string[]> {
  const members: Record<(typeof PARTS)[number], string[]> = { train: [], validation: [], test: [] };
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const [file = '', number = ''] = line.trim().split(/\s+/);
    const part = PARTS[Number(number)];
    if (part === undefined)
      throw new ConfigError(`line ${i + 1} of ${path} is '${line}', expected a file name and 0, 1 or 2`, 'use the original file');
    members[part].push(file);
  }
  return members;
}

function found(paths: ReadonlyMap<string, string>, file: string, where: string): string {
  const path = paths.get(file);
  if (path === undefined) throw new ConfigError(`${file} is in the list of CelebA but not in ${where}`, 'use the complete images');
  return path;
}
