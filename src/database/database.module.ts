import { type DynamicModule, Global, Module } from '@nestjs/common';

import { Database } from './database.js';

/** Gives every feature the one {@link Database}, made before the app is. */
@Global()
@Module({})
export class DatabaseModule {
  static of(database: Database): DynamicModule {
    return { module: DatabaseModule, providers: [{ provide: Database, useValue: database }], exports: [Database] };
  }
}
