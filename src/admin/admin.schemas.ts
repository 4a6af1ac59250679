import { z } from 'zod';

export const userId = z.uuid('must be the id of a user').meta({ description: 'The id of a user.' });
