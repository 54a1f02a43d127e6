/**
 * Some points of a data set as its files give them: labels at once, images some at a time.
 *
 * `images` yields uint8 NHWC pieces of any number of whole images, in the order of `labels`; a piece is used up before
 * the next is asked for, so a reader may decode one file at a time.
 */
export interface Part {
  readonly labels: ArrayLike<number>;
  /** Classes that validation points are balanced over, where they are others than `labels`. */
  readonly strata?: ArrayLike<number>;
  images(): AsyncIterable<Uint8Array>;
}

/** What a reader finds in the files of a data set; splits without files of their own are drawn from `train`. */
export interface Parts {
  readonly train: Part;
  readonly validation?: Part;
  readonly test?: Part;
}

/** One opened layout, as a reader sees it. */
export interface OpenLayout {
  readonly name: string;
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly classes: number;
  /** Which of several kinds of labels is wanted. */
  readonly labels: string | undefined;
  /** The folder the files are in. */
  readonly folder: string;
  /** Names under which the manifest lists the files, in its order. */
  readonly roles: readonly string[];
  /** Path of a file. */
  path(role: string): string;
  /** Contents of a file, unpacked and checked. @throws ChecksumError, StorageError as `readVerified`. */
  read(role: string): Promise<Uint8Array>;
  /** The same as text. */
  text(role: string): Promise<string>;
  /** Check a file that is too large to hold, and return its path. @throws ChecksumError, StorageError as `read`. */
  verify(role: string): Promise<string>;
}

/** Images that are in memory anyway, as a part. */
export function heldPart(images: Uint8Array, labels: ArrayLike<number>): Part {
  return {
    labels,
    async *images() {
      yield images;
    },
  };
}
