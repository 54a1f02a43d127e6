import type { Dataset } from '../data/dataset.js';

/** What settings are chosen on: a data set without its test images. */
export type SelectionData = Omit<Dataset, 'test'>;

/** The data set as a selection sees it. */
export function selectionData({ test, ...rest }: Dataset): SelectionData {
  return rest;
}

/** For tasks that are made for whole data sets: a test split without images, so that no mistake can look at any. */
export function withheldTest<T extends SelectionData>(data: T): T & Pick<Dataset, 'test'> {
  return { ...data, test: { role: 'test', count: 0, shape: data.shape, images: new Uint8Array(0), labels: new Int32Array(0) } };
}
