import type { Request } from 'express';

interface Layer {
  route?: { methods: Record<string, boolean> };
  match(path: string): unknown;
}

/** The methods that some route answers at this request's path; empty where there is no such path. */
export function allowedMethods(request: Request): string[] {
  const layers = request.app.router.stack as unknown as Layer[];
  const methods = new Set<string>();
  for (const layer of layers) {
    if (!layer.route || !layer.match(request.path)) continue;
    for (const method of Object.keys(layer.route.methods)) methods.add(method.toUpperCase());
  }
  methods.delete('_ALL');
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods].toSorted();
}
