export * from './algorithm.js';
export * from './augment/index.js';
export * from './autodiff.js';
export { checkInteger, checkRange } from './check.js';
export { canonicalJson, type Json, loadTree, type Metadata, readMetadata, saveTree } from './checkpoint.js';
export * from './checkpoint-coreset.js';
export { type CheckpointOptions, checkRunIdentity, type RunIdentity } from './checkpoint-run.js';
export * from './constant.js';
export * from './conv-norm.js';
export * from './convolve-images.js';
export * from './coreset.js';
export type { LabelledData } from './coreset-data.js';
export * from './coreset-from-points.js';
export * from './coreset-init.js';
export { classTargets, type TargetFormat } from './coreset-targets.js';
export * from './divergence/algorithm-draws.js';
export { type ChunkedEnergyOptions, chunkedEnergy, type EnergyArgument } from './divergence/chunked-energy.js';
export {
  type ContrastiveDivergenceOptions,
  type ContrastiveEstimate,
  type ContrastiveNoise,
  contrastiveDivergence,
  contrastiveEstimate,
} from './divergence/contrastive-divergence.js';
export { type CoresetEnergyOptions, perturbExpert } from './divergence/coreset-energy.js';
export * from './divergence/coreset-gradient.js';
export {
  type CovarianceDraws,
  type CovarianceEstimate,
  type CovarianceGradientOptions,
  covarianceGradient,
} from './divergence/covariance-gradient.js';
export * from './divergence/descent-draws.js';
export * from './divergence/divergence.js';
export * from './divergence/forward-kl.js';
export * from './divergence/from-surrogate.js';
export { type KroneckerFactors, kroneckerFactors, type NetworkFactors, type OutputLikelihood } from './divergence/kronecker-factors.js';
export * from './divergence/kronecker-laplace-draws.js';
export * from './divergence/langevin-draws.js';
export * from './divergence/laplace-draws.js';
export { type DrawsFrom, independentDraws, mapDraws, type PosteriorDraws } from './divergence/posterior-draws.js';
export * from './divergence/psvi.js';
export { type ReverseKlOptions, reverseKl } from './divergence/reverse-kl.js';
export * from './divergence/wasserstein.js';
export * from './eager-runtime.js';
export * from './energy.js';
export * from './errors.js';
export { eventLoopTurns } from './event-loop.js';
export { checkLengths } from './flat-lengths.js';
export * from './gradients.js';
export * from './host-backend.js';
export { hostEnvironment } from './host-environment.js';
export * from './host-tensor.js';
export * from './iterate.js';
export {
  type ChainNoise,
  type LangevinChain,
  type LangevinChainOptions,
  type LangevinInfo,
  type LangevinOptions,
  type LangevinSettings,
  type LangevinState,
  langevin,
  langevinChain,
  langevinStep,
  normalLike,
} from './langevin.js';
export * from './learn.js';
export * from './linalg/index.js';
export * from './model.js';
export * from './objective.js';
export * from './ops.js';
export * from './optim/index.js';
export { argumentLeaves, assertTree, checkLeaves } from './program-arguments.js';
export { type Progress, progressReporter } from './progress.js';
export * from './random.js';
export { bilinearWeights, nearestPositions, type ResizeGrid } from './resize-grid.js';
export * from './runtime.js';
export * from './safetensors.js';
export * from './sampled.js';
export type { BatchSource, ExpertSource, SampledOptions } from './sampled-draw.js';
export * from './scan.js';
export * from './scope.js';
export * from './store.js';
export * from './supervised.js';
export { untaped } from './tape.js';
export type { LoopResult, TracedLoop, TracingBackend } from './tracing.js';
export * from './tree.js';
