import v8 from 'node:v8';

/**
 * Collects garbage early: by itself the heap would grow to a multiple of what lives in it before that is done. To be called before
 * the code is loaded, since loading it makes the young generation as large as it may be, and it stays so.
 */
export function keepHeapSmall(): void {
  v8.setFlagsFromString('--heap-growing-percent=10');
  v8.setFlagsFromString('--semi-space-growth-factor=1');
}
