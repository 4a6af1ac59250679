import { Injectable } from '@nestjs/common';

import { Clock } from '../common/clock.js';
import { type FeedCursor, formatCursor, type RevocationPage } from './revocations.schemas.js';
import { RevocationsRepository } from './revocations.repository.js';
import { SecurityEventTokens } from './security-event-tokens.js';

/** Serves the feed in pages, for whoever polls. */
@Injectable()
export class RevocationPages {
  constructor(
    private readonly repository: RevocationsRepository,
    private readonly eventTokens: SecurityEventTokens,
    private readonly clock: Clock,
  ) {}

  /** The entries from `cursor` on. The same answer as long as nothing is revoked. */
  async page(cursor: FeedCursor, limit: number): Promise<RevocationPage> {
    const now = this.clock.now();
    let begin = cursor;
    let sight = await this.repository.look(begin.after ? 0 : begin.horizon, begin.after, now, limit + 1);
    if (begin.horizon > sight.horizon) {
      // A cursor of another database, or of what this one lost: from the beginning.
      begin = { horizon: 0, after: null };
      sight = await this.repository.look(0, null, now, limit + 1);
    }
    const shown = sight.entries.slice(0, limit);
    const more = sight.entries.length > limit;
    const last = shown.at(-1);
    // All that was open when the first page was read may still come before what later pages show.
    const floor = begin.after ? begin.horizon : sight.horizon;
    const next: FeedCursor =
      more && last
        ? { horizon: floor, after: last }
        : { horizon: last ? Math.min(floor, last.position + 1) : begin.horizon, after: null };
    return {
      items: shown.map(({ position: _position, ...entry }) => this.eventTokens.accompany(entry)),
      next_cursor: formatCursor(next),
      more,
    };
  }
}
