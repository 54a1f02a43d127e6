export * from './feature-source.js';
export * from './record-forgetting.js';
export * from './select-coreset.js';
export * from './select-points.js';
export type { FeatureExperts, SelectionSettings, SelectionTaskOptions } from './selection-task.js';
