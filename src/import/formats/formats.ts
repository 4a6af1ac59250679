import { auth0Format } from './auth0.js';
import { betterAuthFormat } from './better-auth.js';
import { firebaseFormat } from './firebase.js';
import type { ImportFormat } from './import-format.js';
import { keycloakFormat } from './keycloak.js';
import { ownFormat } from './own.js';
import { supabaseFormat } from './supabase.js';

/** All that an import reads. */
export const FORMATS: readonly ImportFormat[] = [
  ownFormat,
  supabaseFormat,
  betterAuthFormat,
  keycloakFormat,
  firebaseFormat,
  auth0Format,
];
