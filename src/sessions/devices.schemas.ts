import { z } from 'zod';

import { page } from '../common/paging.js';
import { agentFamily } from './device.js';
import type { UserDevice } from './user-device.entity.js';

/** A browser that the user signed in with. */
export const deviceView = z
  .strictObject({
    id: z.uuid().meta({ example: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a12' }),
    current: z.boolean().meta({ description: 'Whether this request comes from it.', example: true }),
    device: z.string().meta({ description: 'A label from the agent.', example: 'Chrome on macOS' }),
    ip: z.string().meta({ example: '203.0.113.7' }),
    created_at: z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' }),
    last_seen_at: z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' }),
    remembered_until: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'Until then a sign-in from it skips the second step.', example: null }),
  })
  .meta({ id: 'Device' });

export const devicePage = page(deviceView).meta({ id: 'DevicePage' });

export const toDeviceView =
  (currentKey: string | null) =>
  (device: UserDevice): z.infer<typeof deviceView> => ({
    id: device.id,
    current: device.deviceKey === currentKey,
    device: agentFamily(device.userAgent) || 'Unknown',
    ip: device.ip,
    created_at: device.createdAt.toISOString(),
    last_seen_at: device.lastSeenAt.toISOString(),
    remembered_until: device.rememberedUntil?.toISOString() ?? null,
  });
