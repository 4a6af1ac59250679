const FIRST_BITS = 4096;
/** So sparse that one in sixteen of those that are not among them has to be looked up. */
const BITS_A_SUBJECT = 16;
/** The end of an id is its random part. */
const LOOKED_AT = 12;

/**
 * Says "surely not" of most subjects that are not among many (Bloom, 1970, with one hash): a few
 * kilobytes that stay in the processor's cache, where the maps themselves do not.
 */
export class SubjectFilter {
  private bits = new Uint32Array(FIRST_BITS / 32);
  private mask = FIRST_BITS - 1;
  private count = 0;

  /** False where it has become too dense: make a new one for more. */
  add(subject: string): boolean {
    const hash = hashOf(subject) & this.mask;
    this.bits[hash >>> 5] |= 1 << (hash & 31);
    this.count += 1;
    return this.count * BITS_A_SUBJECT <= this.mask + 1;
  }

  mayHold(subject: string): boolean {
    const hash = hashOf(subject) & this.mask;
    return (this.bits[hash >>> 5] & (1 << (hash & 31))) !== 0;
  }

  /** An empty one with room for twice `count`. */
  static for(count: number): SubjectFilter {
    const filter = new SubjectFilter();
    let bits = FIRST_BITS;
    while (bits < count * 2 * BITS_A_SUBJECT) bits *= 2;
    filter.bits = new Uint32Array(bits / 32);
    filter.mask = bits - 1;
    return filter;
  }
}

/** FNV-1a, folded, since the lowest bits are the ones that are used. */
function hashOf(subject: string): number {
  let hash = 0x811c9dc5;
  for (let index = Math.max(0, subject.length - LOOKED_AT); index < subject.length; index++)
    hash = Math.imul(hash ^ subject.charCodeAt(index), 0x01000193);
  return hash ^ (hash >>> 15);
}
