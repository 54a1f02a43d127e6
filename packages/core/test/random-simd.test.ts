import { hostNormal, hostUniform, key } from '@bpc/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fillNormal, fillUniform } from '../src/random-bits.js';
import { moduleBytes, simdFills } from '../src/random-simd.js';

const bits = (values: Float32Array): Int32Array => new Int32Array(values.buffer, values.byteOffset, values.length);

describe('draws by WebAssembly SIMD', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  it('are the bits of plain JavaScript, for any length and key', () => {
    const fast = simdFills();
    expect(fast).toBeDefined();
    for (const [k0, k1] of [
      [0, 0],
      [-1, -1],
      [123, -456],
      [0x7fffffff, 0x80000000 | 0],
    ] as const) {
      for (const length of [1, 2, 3, 15, 16, 17, 63, 8191, 8192, 8193, 50_001]) {
        for (const [plain, simd] of [
          [fillNormal, fast?.normal],
          [fillUniform, fast?.uniform],
        ] as const) {
          const [expected, got] = [new Float32Array(length), new Float32Array(length)];
          plain(k0, k1, expected);
          simd?.(k0, k1, got);
          expect(bits(got)).toEqual(bits(expected));
        }
      }
    }
  });

  it('come from a module that WebAssembly accepts', () => {
    expect(WebAssembly.validate(moduleBytes())).toBe(true);
  });

  it('are what keys draw, from the first long draw on', () => {
    for (const draw of [hostNormal, hostUniform]) {
      expect(bits(draw(key(3), 1000).slice(0, 10))).toEqual(bits(draw(key(3), 10)));
    }
  });

  it('are replaced by plain JavaScript where WebAssembly is missing or may not be compiled', async () => {
    const expected = [hostNormal(key(5), 999), hostUniform(key(5), 999)];
    const refusing = {
      Module: class {
        constructor() {
          throw new Error('forbidden');
        }
      },
    };
    for (const api of [undefined, refusing]) {
      vi.stubGlobal('WebAssembly', api);
      expect(simdFills()).toBeUndefined();
      vi.resetModules();
      const fresh = await import('../src/random.js');
      expect(fresh.hostNormal(fresh.key(5), 999)).toEqual(expected[0]);
      expect(fresh.hostUniform(fresh.key(5), 999)).toEqual(expected[1]);
    }
  });
});
