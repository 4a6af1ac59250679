import type { NextFunction, Request, RequestHandler, Response } from 'express';

/** Several handlers as one: Express matches, wraps and unwraps each one that it is given by itself. */
export function chain(...handlers: RequestHandler[]): RequestHandler {
  return (request: Request, response: Response, next: NextFunction): void => {
    let index = 0;
    const step = (error?: unknown): void => {
      if (error || index === handlers.length) {
        next(error);
        return;
      }
      try {
        void handlers[index++](request, response, step);
      } catch (thrown) {
        next(thrown);
      }
    };
    step();
  };
}
