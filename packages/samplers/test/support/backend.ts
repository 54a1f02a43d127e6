import '@tensorflow/tfjs-backend-cpu';
import { env, setBackend } from '@tensorflow/tfjs-core';

// The backend greets every process with an advertisement otherwise.
env().set('PROD', true);
// Ready before the first line of a test file.
if (!(await setBackend('cpu'))) throw new Error('the tfjs cpu backend does not start');
