import { z } from 'zod';

const delimited = z.strictObject({
  kind: z.literal('delimited'),
  separator: z.enum([',', ' ']),
  /** Lines before the first row. */
  skip: z.int().nonnegative().optional(),
  /** Names of the columns of the file, in order; the target's among them unless it has a file of its own. */
  columns: z.array(z.string()).min(1),
  target: z.string(),
  /** Columns of words. */
  categories: z.array(z.string()).optional(),
  /** Columns that are no features. */
  drop: z.array(z.string()).optional(),
  /** Words of the target, in the order of the classes; without, the target is a number. */
  classes: z.array(z.array(z.string()).min(1)).optional(),
});
const libsvm = z.strictObject({
  kind: z.literal('libsvm'),
  /** Number of features; indices are 1 … features. */
  features: z.int().positive(),
});

/** How the rows of a table are written. */
export const tableSyntax = z.discriminatedUnion('kind', [delimited, libsvm]);
/** Rows of values between separators. */
export type DelimitedSyntax = z.infer<typeof delimited>;
/** Rows of a label and `index:value` pairs. */
export type LibsvmSyntax = z.infer<typeof libsvm>;
