import { type DynamicModule, Global, Module } from '@nestjs/common';

import { CONFIG, type Config } from '../config/config.js';
import { isUnavailable } from '../database/database.js';
import { Clock } from './clock.js';
import { Cookies } from './cookies.js';
import { DerivedKeys } from './crypto/derived-keys.js';
import { CsrfTokens } from './csrf-tokens.js';
import { HashGate } from './hash-gate.js';
import { Janitor } from './janitor.js';
import { Logger } from './logging.js';
import { PROBLEM_SETTINGS } from './problem/problem.filter.js';
import { ProblemsController } from './problem/problems.controller.js';
import { SecondFactorPolicy } from './second-factors.js';

/** What every feature may use: configuration, log, clock, keys, cookies, the hash gate, the policy on second factors, the janitor. */
@Global()
@Module({})
export class CommonModule {
  static of(config: Config, logger: Logger): DynamicModule {
    const keys = new DerivedKeys(config.masterSecret, config.previousMasterSecret);
    return {
      module: CommonModule,
      controllers: [ProblemsController],
      providers: [
        Clock,
        Janitor,
        { provide: CONFIG, useValue: config },
        { provide: Logger, useValue: logger },
        { provide: DerivedKeys, useValue: keys },
        { provide: Cookies, useValue: new Cookies(config.cookies) },
        { provide: CsrfTokens, useValue: new CsrfTokens(keys) },
        { provide: HashGate, useValue: new HashGate() },
        { provide: SecondFactorPolicy, useValue: new SecondFactorPolicy(config.mfa.required) },
        { provide: PROBLEM_SETTINGS, useValue: { publicUrl: config.http.publicUrl, isUnavailable } },
      ],
      exports: [
        Clock,
        Janitor,
        CONFIG,
        Logger,
        DerivedKeys,
        Cookies,
        CsrfTokens,
        HashGate,
        SecondFactorPolicy,
        PROBLEM_SETTINGS,
      ],
    };
  }
}
