/** The `fetch` of the web platform. */
export type Fetch = typeof globalThis.fetch;

const TIMEOUT_MS = 5000;
const MAX_BYTES = 262_144;

/**
 * A JSON answer, bounded in time and size. Redirects are not followed: credentials and keys are for
 * the address that was configured.
 *
 * @throws Error where there is no 200 with JSON in it
 */
export async function fetchJson(fetch: Fetch, url: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(url, {
    ...init,
    headers: { accept: 'application/json', ...init.headers },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status !== 200 || !response.body) {
    await response.body?.cancel();
    throw new Error(`HTTP ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new Error('the answer is too long'); // leaving the loop cancels the body
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString());
}
