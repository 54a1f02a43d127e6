/**
 * Threefry-2x32 with 20 rounds (Salmon et al. 2011) of two successive counters (c0, c1) and (c0, c1 + 1): a keyed bijection of
 * a 64-bit counter. Writes four words.
 *
 * Two blocks at a time, since one is a single chain of dependent operations that leaves the processor waiting.
 */
export function threefryPair(k0: number, k1: number, c0: number, c1: number, out: Uint32Array): void {
  let [ka, kb, kc] = [k0 | 0, k1 | 0, k0 ^ k1 ^ 0x1bd11bda];
  let x = (c0 + ka) | 0;
  let y = (c1 + kb) | 0;
  let u = x;
  let v = (y + 1) | 0;
  for (let group = 1; group <= 5; group++) {
    if ((group & 1) === 1) {
      x = (x + y) | 0;
      u = (u + v) | 0;
      y = ((y << 13) | (y >>> 19)) ^ x;
      v = ((v << 13) | (v >>> 19)) ^ u;
      x = (x + y) | 0;
      u = (u + v) | 0;
      y = ((y << 15) | (y >>> 17)) ^ x;
      v = ((v << 15) | (v >>> 17)) ^ u;
      x = (x + y) | 0;
      u = (u + v) | 0;
      y = ((y << 26) | (y >>> 6)) ^ x;
      v = ((v << 26) | (v >>> 6)) ^ u;
      x = (x + y) | 0;
      u = (u + v) | 0;
      y = ((y << 6) | (y >>> 26)) ^ x;
      v = ((v << 6) | (v >>> 26)) ^ u;
    } else {
      x = (x + y) | 0;
      u = (u + v) | 0;
      y = ((y << 17) | (y >>> 15)) ^ x;
      v = ((v << 17) | (v >>> 15)) ^ u;
      x = (x + y) | 0;
      u = (u + v) | 0;
      y = ((y << 29) | (y >>> 3)) ^ x;
      v = ((v << 29) | (v >>> 3)) ^ u;
      x = (x + y) | 0;
      u = (u + v) | 0;
      y = ((y << 16) | (y >>> 16)) ^ x;
      v = ((v << 16) | (v >>> 16)) ^ u;
      x = (x + y) | 0;
      u = (u + v) | 0;
      y = ((y << 24) | (y >>> 8)) ^ x;
      v = ((v << 24) | (v >>> 8)) ^ u;
    }
    const used = ka;
    ka = kb;
    kb = kc;
    kc = used;
    x = (x + ka) | 0;
    u = (u + ka) | 0;
    y = (y + kb + group) | 0;
    v = (v + kb + group) | 0;
  }
  out[0] = x;
  out[1] = y;
  out[2] = u;
  out[3] = v;
}

/** One block. Matches the known-answer vectors of Random123. */
export function threefry2x32(k0: number, k1: number, c0: number, c1: number): [number, number] {
  threefryPair(k0, k1, c0, c1, block);
  return [block[0] as number, block[1] as number];
}

const block = new Uint32Array(4);
