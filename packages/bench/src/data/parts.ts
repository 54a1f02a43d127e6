/**
 * Some points of a data set as its files give them: labels at once, images some at a time.
 *
 * `images` yields uint8 NHWC pieces of any number of whole images, in the order of `labels`; a piece is used up before
 * the next is asked for, so a reader may decode one file at a time and may reuse its buffer.
 */
export interface Part {
  readonly labels: ArrayLike<number>;
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
  readonly classNames: readonly string[];
  /** Names under which the manifest lists the files, in its order. */
  readonly roles: readonly string[];
  /** Contents of a file, unpacked and checked. @throws ChecksumError, StorageError as `readVerified`. */
  read(role: string): Promise<Uint8Array>;
  /** Path of a file, for messages. */
  path(role: string): string;
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
