import { text } from '../common/validation.js';

const ROLE = /^[a-z][a-z0-9_-]{0,63}$/;

export const roleName = text()
  .regex(ROLE, 'must be lower-case letters, digits, dash and underscore, at most 64, beginning with a letter')
  .meta({ description: 'The name of a role.', example: 'editor' });
