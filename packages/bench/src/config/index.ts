export * from './augmentation-name.js';
export * from './config-file.js';
export * from './defaults.js';
export * from './evaluation.js';
export * from './presets/index.js';
export * from './resolve.js';
export * from './schema.js';
export * from './suggest.js';
