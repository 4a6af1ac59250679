import { Injectable } from '@nestjs/common';
import { InjectThrottlerStorage } from '@nestjs/throttler';
import type { Registry } from 'prom-client';

import { HashGate } from '../common/hash-gate.js';
import { RateStore } from '../protection/rate-store.js';
import { KeyRingKeeper } from '../tokens/key-ring-keeper.js';

/**
 * How the process does, in Prometheus' text format. Labels hold no name, address or secret. HTTP
 * durations are not among them: the request log has them, and refresh pays for none.
 */
@Injectable()
export class Metrics {
  private registry: Promise<Registry> | null = null;

  constructor(
    private readonly gate: HashGate,
    @InjectThrottlerStorage() private readonly rates: RateStore,
    private readonly keys: KeyRingKeeper,
  ) {}

  async text(): Promise<string> {
    return (await (this.registry ??= this.collect())).metrics();
  }

  /** At the first call, so that a service that nobody watches loads and measures nothing. */
  private async collect(): Promise<Registry> {
    const { collectDefaultMetrics, Counter, Gauge, Registry: NewRegistry } = await import('prom-client');
    const { gate, rates, keys } = this;
    const registry = new NewRegistry();
    const registers = [registry];
    collectDefaultMetrics({ register: registry });
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    gauge('latchkey_hash_gate_running', 'Passwords that are hashed now.', () => gate.load.running);
    gauge('latchkey_hash_gate_waiting', 'Requests that wait to hash a password.', () => gate.load.waiting);
    new Counter({
      name: 'latchkey_hash_gate_refused_total',
      help: 'Requests that found the gate full, or waited there too long: 503 overloaded.',
      registers,
      collect() {
        this.reset();
        this.inc(gate.load.refused);
      },
    });
    gauge('latchkey_rate_store_degraded', '1 while Redis is away and each process counts for itself.', () =>
      Number(rates.isDegraded),
    );
    gauge('latchkey_keys_file_degraded', '1 while JWT_KEYS_FILE is bad and its keys of before are in use.', () =>
      Number(keys.fileFault !== null),
    );
    gauge(
      'latchkey_signing_keys_unreadable',
      'Keys of the database that MASTER_SECRET does not open.',
      () => keys.unreadable.length,
    );
    return registry;
  }
}
