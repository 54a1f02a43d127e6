export * from './choose-reporter.js';
export * from './plain-reporter.js';
export * from './reporter.js';
export * from './terminal-reporter.js';
