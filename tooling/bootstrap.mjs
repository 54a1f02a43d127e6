// What `npm start`, `npm test` and the other root commands run: `node tooling/bootstrap.mjs <command> [arguments]`.
//
// Nothing is imported before the version check, so that an old Node says what is wrong instead of failing on syntax.
const OLDEST = /** @type {const} */ ([20, 19]);

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  console.error(`Node ${process.versions.node} is too old: this repository needs Node ${OLDEST.join('.')} or newer (https://nodejs.org).`);
  process.exit(2);
} else {
  import('./bootstrap/main.mjs').then(({ main }) => main(process.argv.slice(2)));
}
