import { Injectable } from '@nestjs/common';

/** The one source of the time. Tests put another in its place. */
@Injectable()
export class Clock {
  now(): Date {
    return new Date();
  }
}
