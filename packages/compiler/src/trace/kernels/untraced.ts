/** Kernels of tfjs-core 4.22 that programs cannot have, by the reason. */
const BY_REASON: Readonly<Record<string, readonly string[]>> = {
  'programs have no complex numbers': ['Complex', 'ComplexAbs', 'FFT', 'IFFT', 'Imag', 'Real'],
  'programs have no strings': ['StaticRegexReplace', 'StringNGrams', 'StringSplit', 'StringToHashBucketFast'],
  'the shape of its result depends on values, which a program does not have until it runs': [
    'BroadcastArgs',
    'NonMaxSuppressionV3',
    'NonMaxSuppressionV4',
    'NonMaxSuppressionV5',
    'RaggedGather',
    'RaggedRange',
    'RaggedTensorToTensor',
    'SparseFillEmptyRows',
    'SparseReshape',
    'SparseSegmentMean',
    'SparseSegmentSum',
    'Unique',
  ],
  'programs have images, not volumes': [
    'AvgPool3D',
    'AvgPool3DGrad',
    'Conv3D',
    'Conv3DBackpropFilterV2',
    'Conv3DBackpropInputV2',
    'MaxPool3D',
    'MaxPool3DGrad',
  ],
  'images are warped by gather or by products with interpolation matrices (augment of @bpc/core)': [
    'CropAndResize',
    'RotateWithOffset',
    'Transform',
  ],
  'no method here uses morphological filters': ['Dilation2D', 'Dilation2DBackpropFilter', 'Dilation2DBackpropInput'],
  'it draws random numbers by itself; draw them from a key': ['Multinomial'],
  'it touches the page': ['Draw', 'FromPixels'],
};

/** Names that tfjs-core lists but never runs: it composes these operations from others, which are traced. */
export const COMPOSED_BY_TFJS: readonly string[] = [
  'BroadcastTo',
  'LogSoftmax',
  'LogicalXor',
  'LowerBound',
  'MatrixBandPart',
  'Pool',
  'UpperBound',
];

/** Every kernel that is left out on purpose, with the reason. */
export const untracedKernels: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(BY_REASON).flatMap(([reason, names]) => names.map((name) => [name, reason])),
);
