import type { INestApplicationContext } from '@nestjs/common';

import type { Algorithm } from '#verifier';

import type { RequestSource } from '../common/request-source.js';
import type { KeyStatus } from '../keys/key-status.js';
import { type KeyChange, KeysService, PUBLISH_SECONDS } from '../keys/keys.service.js';
import type { Output } from './output.js';

/** What the commands on signing keys do, by the service's own classes. */
export class KeyActions {
  private readonly keys: KeysService;

  constructor(
    app: INestApplicationContext,
    private readonly output: Output,
    private readonly source: RequestSource,
  ) {
    this.keys = app.get(KeysService, { strict: false });
  }

  async generate(algorithm: Algorithm, audience: string | null): Promise<void> {
    const { key } = await this.keys.generate(algorithm, audience, this.source);
    const activateFrom = new Date(key.createdAt!.getTime() + PUBLISH_SECONDS * 1000).toISOString();
    this.output.item({ ...viewOf(key), activate_from: activateFrom });
  }

  async list(): Promise<void> {
    this.output.list((await this.keys.list()).map(viewOf));
  }

  async activate(kid: string, atOnce: boolean): Promise<void> {
    this.show(await this.keys.activate(kid, atOnce, this.source));
  }

  async retire(kid: string): Promise<void> {
    this.show(await this.keys.retire(kid, this.source));
  }

  async forget(kid: string): Promise<void> {
    this.show(await this.keys.forget(kid, this.source));
  }

  async compromise(kid: string): Promise<void> {
    this.show(await this.keys.compromise(kid, this.source));
  }

  async export(kid: string): Promise<void> {
    this.output.json(await this.keys.export(kid, this.source));
  }

  private show({ key, all }: KeyChange): void {
    const signing = all.filter(({ state }) => state === 'signing');
    this.output.item({ ...viewOf(key), now_signing: signing.map(({ kid }) => kid) });
  }
}

const viewOf = (key: KeyStatus): Record<string, unknown> => ({
  kid: key.kid,
  algorithm: key.algorithm,
  state: key.state,
  audience: key.audience,
  source: key.source,
  created_at: key.createdAt?.toISOString() ?? null,
  active_from: key.activeFrom?.toISOString() ?? null,
  retired_at: key.retiredAt?.toISOString() ?? null,
  verifies_until: key.verifiesUntil?.toISOString() ?? null,
});
