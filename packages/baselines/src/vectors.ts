type Numbers = Float64Array | Float32Array;

/** ⟨a[from …], b⟩ over the length of `b`. Four sums that do not wait for each other. */
export function dotAt(a: Numbers, from: number, b: Numbers): number {
  const size = b.length;
  let [p, q, r, s] = [0, 0, 0, 0];
  let j = 0;
  for (let i = from; j + 3 < size; i += 4, j += 4) {
    p += (a[i] as number) * (b[j] as number);
    q += (a[i + 1] as number) * (b[j + 1] as number);
    r += (a[i + 2] as number) * (b[j + 2] as number);
    s += (a[i + 3] as number) * (b[j + 3] as number);
  }
  for (; j < size; j++) p += (a[from + j] as number) * (b[j] as number);
  return p + q + (r + s);
}

/** ‖a[from …] − b‖² over the length of `b`. */
export function squaredDistanceAt(a: Numbers, from: number, b: Numbers): number {
  const size = b.length;
  let [p, q] = [0, 0];
  let j = 0;
  for (let i = from; j + 1 < size; i += 2, j += 2) {
    const [x, y] = [(a[i] as number) - (b[j] as number), (a[i + 1] as number) - (b[j + 1] as number)];
    p += x * x;
    q += y * y;
  }
  if (j < size) p += ((a[from + j] as number) - (b[j] as number)) ** 2;
  return p + q;
}

/** `to += factor · a[from …]` over the length of `to`. */
export function addScaled(to: Float64Array, factor: number, a: Numbers, from = 0): void {
  for (let j = 0; j < to.length; j++) to[j] = (to[j] as number) + factor * (a[from + j] as number);
}

/** ‖a‖ */
export const norm = (a: Numbers): number => Math.sqrt(dotAt(a, 0, a));
