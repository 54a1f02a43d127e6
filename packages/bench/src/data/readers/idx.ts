import { ShapeError } from '@bpc/core';
import { parseIdx } from '../idx.js';
import { heldPart, type OpenLayout, type Part, type Parts } from '../parts.js';

/** MNIST and its like: idx files `trainImages`, `trainLabels`, `testImages`, `testLabels`; without the last two, one part. */
export async function readIdxSet(layout: OpenLayout): Promise<Parts> {
  const train = await part(layout, 'trainImages', 'trainLabels');
  return layout.roles.includes('testImages') ? { train, test: await part(layout, 'testImages', 'testLabels') } : { train };
}

async function part(layout: OpenLayout, imageRole: string, labelRole: string): Promise<Part> {
  const { name, shape } = layout;
  const rank = shape[2] === 1 ? 3 : 4;
  const images = parseIdx(await layout.read(imageRole), `the image file of ${name}`, rank);
  const labels = parseIdx(await layout.read(labelRole), `the label file of ${name}`, 1);
  const expected = rank === 3 ? shape.slice(0, 2) : shape;
  if (expected.some((length, axis) => images.shape[axis + 1] !== length)) {
    throw new ShapeError(
      `the images of ${name} are ${images.shape.slice(1).join(' × ')}, expected ${expected.join(' × ')}`,
      'use the original files of this data set',
    );
  }
  return heldPart(images.data, labels.data);
}
