export { target } from './worker-models.mjs';

export const runtime = () => 'cpu';
