/** It cannot be done with a signing key; the message says why, and what can. */
export class KeyRefused extends Error {}
