/** The `Authorization` of a client: RFC 6749, section 2.3.1, percent-encodes both halves. */
export const basicCredentials = (clientId: string, clientSecret: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')}`;
