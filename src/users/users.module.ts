import { Module } from '@nestjs/common';

import { Janitor } from '../common/janitor.js';
import { OneTimeLinks } from './one-time-links.repository.js';
import { UsersRepository } from './users.repository.js';

@Module({ providers: [UsersRepository, OneTimeLinks], exports: [UsersRepository, OneTimeLinks] })
export class UsersModule {
  constructor(janitor: Janitor, links: OneTimeLinks) {
    janitor.add(links);
  }
}
