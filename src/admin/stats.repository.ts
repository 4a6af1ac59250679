import { Injectable } from '@nestjs/common';
import type { z } from 'zod';

import { ADMIN_ROLE } from '../access/permissions.js';
import { Clock } from '../common/clock.js';
import { Database } from '../database/database.js';
import type { statsResponse } from './admin.schemas.js';

const READ = `
  select (
    select json_build_object(
      'total', count(*), 'active', count(*) filter (where is_active),
      'with_second_factor', count(*) filter (where second_factors <> '{}'),
      'administrators', count(*) filter (where is_active and roles @> array[$2::text]))
    from users
  ) as users, (
    select json_build_object('live', count(*), 'seen_last_day', count(*) filter (where last_seen_at > $1::timestamptz - interval '1 day'))
    from sessions where ended_at is null and expires_at > $1 and idle_expires_at > $1
  ) as sessions, (
    select json_build_object(
      'sign_ins', count(*) filter (where type = 'login.succeeded'),
      'failed_sign_ins', count(*) filter (where type in ('login.failed', 'mfa.failed')),
      'locks', count(*) filter (where type in ('login.locked', 'mfa.locked')),
      'registrations', count(*) filter (where type = 'user.registered'))
    from audit_events where occurred_at > $1::timestamptz - interval '1 day'
  ) as last_day`;

/** Figures over several tables. */
@Injectable()
export class StatsRepository {
  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  async read(): Promise<z.infer<typeof statsResponse>> {
    const values = [this.clock.now(), ADMIN_ROLE];
    return (await this.database.manager.query<[z.infer<typeof statsResponse>]>(READ, values))[0];
  }
}
