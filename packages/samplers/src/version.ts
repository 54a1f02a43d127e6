/** Of this package, as its package.json has it (written by `npm run version-packages`). */
export const VERSION = '0.0.0';
