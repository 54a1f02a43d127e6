export * from './posteriors/index.js';
