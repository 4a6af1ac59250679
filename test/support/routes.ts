import { ModulesContainer, Reflector } from '@nestjs/core';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';

import { ACCESS_RULE, type AccessRule } from '../../src/common/access.js';
import type { TestApp } from './test-app.js';

const METHODS = ['get', 'post', 'put', 'delete', 'patch'] as const;

export interface Route {
  /** Of the class and the method that serve it. */
  name: string;
  method: (typeof METHODS)[number];
  path: string;
  rule: AccessRule | undefined;
  handler: () => unknown;
  controller: new () => object;
}

/** Every route that a controller of the running service declares. */
export function routesOf(app: TestApp): Route[] {
  const reflector = app.app.get(Reflector);
  const controllers = [...app.app.get(ModulesContainer).values()].flatMap((module) => [...module.controllers.values()]);
  return controllers.flatMap(({ metatype }) => {
    const controller = metatype as new () => object;
    const prototype = controller.prototype as Record<string, () => unknown>;
    return Object.getOwnPropertyNames(prototype)
      .map((name) => ({ name, handler: prototype[name] }))
      .filter(({ handler }) => Reflect.hasMetadata(METHOD_METADATA, handler))
      .map(({ name, handler }) => {
        const parts = [Reflect.getMetadata(PATH_METADATA, controller), Reflect.getMetadata(PATH_METADATA, handler)];
        return {
          name: `${controller.name}.${name}`,
          method: METHODS[Reflect.getMetadata(METHOD_METADATA, handler) as number],
          path: `/${(parts as string[])
            .map((part) => part.replace(/^\/|\/$/g, ''))
            .filter(Boolean)
            .join('/')}`,
          rule: reflector.getAllAndOverride<AccessRule | undefined>(ACCESS_RULE, [handler, controller]),
          handler,
          controller,
        };
      });
  });
}
