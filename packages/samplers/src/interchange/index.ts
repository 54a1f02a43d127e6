export { toCmdStanCsv } from './cmdstan-csv.js';
export { fromJson, toJson } from './json.js';
export { fromSafetensors, toSafetensors } from './safetensors.js';
