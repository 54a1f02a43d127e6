export * from './choose-runtime.js';
export * from './environment.js';
export * from './examine-runtime.js';
export * from './open-runtime.js';
export * from './optional-package.js';
export * from './runtime-name.js';
