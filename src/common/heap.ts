import v8 from 'node:v8';

const DEFAULT_GROWTH = 2;

/**
 * Keeps the young generation as small as it begins: to be called before the code is loaded, since what lives on from loading it
 * makes that generation as large as it may be, and so it would stay, twice 16 MB.
 */
export function keepYoungGenerationSmall(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=1');
}

/** Lets it grow from here on, by what requests leave behind. */
export function letYoungGenerationGrow(): void {
  v8.setFlagsFromString(`--semi-space-growth-factor=${DEFAULT_GROWTH}`);
}

/** Collects garbage early: by itself the heap would grow to a multiple of what lives in it before that is done. */
export function keepHeapSmall(): void {
  v8.setFlagsFromString('--heap-growing-percent=10');
  keepYoungGenerationSmall();
}
