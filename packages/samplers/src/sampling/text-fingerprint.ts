/** 16 hexadecimal digits that differ when texts differ, by accident, not by an adversary (FNV-1a, twice with other starts). */
export function textFingerprint(text: string): string {
  const hash = (start: number): string => {
    let h = start;
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
    return (h >>> 0).toString(16).padStart(8, '0');
  };
  return hash(0x811c9dc5) + hash(0x050c5d1f);
}
