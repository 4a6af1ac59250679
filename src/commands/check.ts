import type { z } from 'zod';

/** What was typed, as its schema has it. @throws with what is wrong with it, in one line */
export function check<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new Error(`${typeof value === 'string' ? value : path.join('.')}: ${message}`);
}
