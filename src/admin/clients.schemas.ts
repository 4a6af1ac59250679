import { z } from 'zod';

import type { Client } from '../clients/client.entity.js';
import { clientJwks } from '../clients/client-jwks.js';
import type { ClientSecret } from '../clients/client-secret.entity.js';
import {
  audiences,
  clientName,
  DEFAULT_OVERLAP_HOURS,
  overlapHours,
  scopes,
  servedAudiences,
} from '../clients/clients.schemas.js';
import { page } from '../common/paging.js';

export const clientId = z.uuid('must be the id of a client').meta({ description: 'The id of a client.' });

export const createClientRequest = z
  .strictObject({
    name: clientName,
    scopes: scopes.default([]),
    audiences: audiences.default([]),
    served_audiences: servedAudiences.default(null),
    jwks: clientJwks.optional(),
  })
  .meta({ id: 'CreateClientRequest' });
export type CreateClientRequest = z.infer<typeof createClientRequest>;

export const changeClientRequest = z
  .strictObject({
    scopes: scopes.optional(),
    audiences: audiences.optional(),
    served_audiences: servedAudiences.optional(),
    jwks: clientJwks.nullable().optional(),
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), 'must change something')
  .meta({ id: 'ChangeClientRequest' });
export type ChangeClientRequest = z.infer<typeof changeClientRequest>;

export const rotateSecretRequest = z
  .strictObject({ overlap_hours: overlapHours.default(DEFAULT_OVERLAP_HOURS) })
  .meta({ id: 'RotateSecretRequest' });
export type RotateSecretRequest = z.infer<typeof rotateSecretRequest>;

const time = z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' });

export const clientView = z
  .strictObject({
    client_id: z.uuid(),
    name: z.string().meta({ example: 'billing' }),
    scopes: z.array(z.string()).meta({ example: ['invoices:read'] }),
    audiences: z.array(z.string()).meta({ example: ['https://invoices.example.com'] }),
    served_audiences: z.array(z.string()).nullable().meta({ example: null }),
    jwks: z
      .strictObject({ keys: z.array(z.looseObject({ kty: z.string() })) })
      .nullable()
      .meta({ description: 'Public keys of its assertions.', example: null }),
    secrets: z
      .array(z.strictObject({ created_at: time, expires_at: time.nullable().meta({ example: null }) }))
      .meta({ description: 'Those that are good: when they came, and when they go. Never what they are.' }),
    created_at: time,
    disabled_at: time.nullable().meta({ example: null }),
  })
  .meta({ id: 'Client' });
export type ClientView = z.infer<typeof clientView>;

export const clientPage = page(clientView).meta({ id: 'ClientPage' });

const shownSecret = z
  .string()
  .meta({ description: 'Shown this once.', example: 'Zk3v0m7m0q1m5tq5m3J0d8l2a1c9s4f6h8j0k2l4n6p' });

export const createdClient = z
  .strictObject({
    ...clientView.shape,
    client_secret: shownSecret
      .nullable()
      .meta({ description: 'Shown this once. Null for a client with keys of its own.' }),
  })
  .meta({ id: 'CreatedClient' });
export type CreatedClient = z.infer<typeof createdClient>;

export const rotatedSecret = z
  .strictObject({
    client_id: z.uuid(),
    client_secret: shownSecret,
    previous_expires_at: time
      .nullable()
      .meta({ description: 'When the secret before ends; null where there is none.' }),
  })
  .meta({ id: 'RotatedSecret' });
export type RotatedSecret = z.infer<typeof rotatedSecret>;

/** A client with its secrets, those that are good. */
export type ClientWithSecrets = Client & { secrets: ClientSecret[] };

export const toClientView = (client: ClientWithSecrets): ClientView => ({
  client_id: client.id,
  name: client.name,
  scopes: client.scopes,
  audiences: client.audiences,
  served_audiences: client.servedAudiences,
  jwks: client.jwks,
  secrets: client.secrets.map(({ createdAt, expiresAt }) => ({
    created_at: createdAt.toISOString(),
    expires_at: expiresAt?.toISOString() ?? null,
  })),
  created_at: client.createdAt.toISOString(),
  disabled_at: client.disabledAt?.toISOString() ?? null,
});
