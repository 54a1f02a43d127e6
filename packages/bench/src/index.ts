export { fitMoments, gaussianKl, type Moments as GaussianMoments } from './bench-support/closeness/gaussian.js';
export { readConfigFile } from './config/config-file.js';
export { listPresets, type PresetOrigin, type PresetSummary, preset, presetOrigin } from './config/presets/index.js';
export { resolveConfig } from './config/resolve.js';
export type { DatasetName, EvaluationConfig, FullConfig, MethodName, PresetName, RunConfig } from './config/schema.js';
export type { ReadProgress } from './data/assemble.js';
export * from './data/atomic-file.js';
export { checkImagesFit } from './data/check-images-fit.js';
export * from './data/dataset.js';
export type { DownloadOptions, DownloadProgress } from './data/download.js';
export { drawIndices } from './data/draw-indices.js';
export { dsaStrategy } from './data/dsa-strategy.js';
export { cacheFolder } from './data/folders.js';
export * from './data/get-dataset.js';
export * from './data/idx.js';
export * from './data/list-datasets.js';
export type { Place } from './data/locate.js';
export { type Manifest, type ManifestEntry, parseManifest, shippedManifest } from './data/manifest.js';
export { measureNormalisation } from './data/measure-normalisation.js';
export { type ChannelMoments, channelMoments, standardiseValues } from './data/normalise.js';
export { type PreprocessName, type PreprocessOptions, preprocess, preprocessNames } from './data/preprocess.js';
export * from './data/soft-labels.js';
export * from './data/tables/get-table.js';
export type {
  ColumnScaling,
  Table,
  TableSplit,
  TableTask,
  TableTest,
  TableTrain,
  TableValidation,
} from './data/tables/table.js';
export * from './data/to-float.js';
export { type CovarianceDivisor, type Moments, type PointRows, pointMoments } from './data/whitening/covariance.js';
export * from './data/whitening/fit-zca.js';
export { type SymmetricEigen, symmetricEigen } from './data/whitening/symmetric-eigen.js';
export * from './data/whitening/whiten.js';
export * from './data/whitening/zca.js';
export { type ChainPrograms, chainPrograms } from './evaluation/chain-programs.js';
export { type HostCoreset, hostCoreset } from './evaluation/host-coreset.js';
export { pointEstimates } from './evaluation/point-estimates.js';
export { type PredictFromCoresetOptions, predictFromCoreset } from './evaluation/predict-from-coreset.js';
export type { Inference, Prediction } from './evaluation/prediction-average.js';
export { type NetworkScore, pointEstimateScore, type Score, scorePrediction } from './evaluation/score.js';
export { type SplitBatches, splitBatches } from './evaluation/split-batches.js';
export { summariseScores } from './evaluation/summarise-scores.js';
export * from './experts/index.js';
export { initialCoreset } from './learning/initial-coreset.js';
export { realBatches } from './methods/real-batches.js';
export { evaluatedCoreset } from './methods/relative-weights.js';
export * from './metrics/calibration.js';
export * from './metrics/disagreement.js';
export * from './metrics/evaluate-predictions.js';
export * from './metrics/legacy.js';
export * from './metrics/out-of-distribution.js';
export { bmaProbabilities, type EnsembleLogits, type FloatArray } from './metrics/predictions.js';
export * from './metrics/scores.js';
export * from './metrics/temperature.js';
export * from './report/contact-sheet.js';
export type { LearningCurve } from './report/curve.js';
export * from './report/draws-plots.js';
export { headline } from './report/headline.js';
export { type ReportAssets, renderReport } from './report/render-report.js';
export * from './report/results.js';
export { renderTable } from './report/table.js';
export * from './selection/index.js';
export { holm } from './table/statistics/holm.js';
export { confidenceLevel, type Interval, meanInterval, pooledInterval } from './table/statistics/interval.js';
