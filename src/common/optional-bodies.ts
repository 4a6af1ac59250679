import type { INestApplicationContext, Type } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { ModulesContainer } from '@nestjs/core';
import { ApiExtension } from '@nestjs/swagger';
import type { z } from 'zod';

/** What `@Body({ schema })` leaves at a method: its parameters, by `<kind>:<index>`. */
type Parameters = Record<string, { schema?: z.ZodType }>;

export const OPTIONAL_BODY = 'x-optional-body';

/** Marks the routes whose schema takes it that there is no body: @nestjs/swagger says of all that they need one. */
export function markOptionalBodies(app: INestApplicationContext): void {
  for (const module of app.get(ModulesContainer).values()) {
    for (const { metatype } of module.controllers.values()) {
      const prototype = (metatype as Type<object>).prototype as object;
      for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
        const parameters = Reflect.getMetadata(ROUTE_ARGS_METADATA, metatype as Type<object>, name) as
          Parameters | undefined;
        if (parameters && takesNoBody(parameters)) ApiExtension(OPTIONAL_BODY, true)(prototype, name, descriptor);
      }
    }
  }
}

function takesNoBody(parameters: Parameters): boolean {
  const [, body] = Object.entries(parameters).find(([key]) => key.startsWith(`${RouteParamtypes.BODY}:`)) ?? [];
  return body?.schema?.safeParse(undefined).success === true;
}
