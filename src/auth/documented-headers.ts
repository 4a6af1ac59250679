import { ApiHeader } from '@nestjs/swagger';

export const TransportHeader = ApiHeader({
  name: 'X-Auth-Transport',
  description: '`body`: no cookies; the refresh token travels in the JSON body.',
  schema: { type: 'string', enum: ['cookie', 'body'] },
});

export const CsrfHeader = ApiHeader({
  name: 'X-CSRF-Token',
  description: 'The value of the XSRF-TOKEN cookie. Needed unless the transport is `body`.',
  schema: { type: 'string' },
});
