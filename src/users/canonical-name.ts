/**
 * The one form by which a username or e-mail address is found and kept unique: NFKC, then full
 * case folding (lower, upper, lower: "ß" and "ẞ" meet "ss", and a final sigma any other), then NFKC again,
 * since folding may undo it (Unicode 15, section 3.13, D145).
 */
export function canonicalName(name: string): string {
  return name.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');
}

/** An e-mail address has an @, a username never: so neither can stand for the other. */
export const isEmail = (name: string): boolean => name.includes('@');
