import type { OrtModule } from '@bpc/backend-onnx';
import * as ort from 'onnxruntime-node';

/** ONNX Runtime, counting the sessions it makes and releases. */
export function countedOrt(): { readonly ort: OrtModule; readonly sessions: { created: number; released: number } } {
  const sessions = { created: 0, released: 0 };
  const create: OrtModule['InferenceSession']['create'] = async (model, options) => {
    const session = await ort.InferenceSession.create(model, options as ort.InferenceSession.SessionOptions);
    sessions.created++;
    return {
      run: (feeds: ort.InferenceSession.FeedsType, fetches: ort.InferenceSession.FetchesType) => session.run(feeds, fetches),
      release: async () => {
        sessions.released++;
        await session.release();
      },
    };
  };
  return { ort: { ...(ort as unknown as OrtModule), InferenceSession: { create } }, sessions };
}

/** The error a promise is rejected with. */
export const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error('expected a rejection');
    },
    (error: unknown) => error as Error,
  );

/** What a call throws. */
export function thrown(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected an error');
}
