export { type DualAveraging, type DualAveragingOptions, dualAveraging } from './dual-averaging.js';
export { type Welford, welford } from './welford.js';
export { type WarmUp, type WindowedAdaptationOptions, windowedAdaptation } from './windowed-adaptation.js';
export { type WarmUpWindows, warmUpWindows } from './windows.js';
