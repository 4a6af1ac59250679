import type { Logger } from 'pino';

import { RolesRepository } from './access/roles.repository.js';
import { AuditLog } from './audit/audit-log.js';
import { AuditRepository } from './audit/audit.repository.js';
import { RefusalBudget } from './audit/refusal-budget.js';
import { Clock } from './common/clock.js';
import { DerivedKeys } from './common/crypto/derived-keys.js';
import { HashGate } from './common/hash-gate.js';
import type { Config } from './config/config.js';
import type { Database } from './database/database.js';
import { ImportRepository } from './import/import.repository.js';
import { UserImporter } from './import/user-importer.js';
import { SeedCipher } from './mfa/seed-cipher.js';
import { PasswordHasher } from './passwords/password-hasher.js';

/** Puts together what imports accounts, without the service around it. */
export function createImporter(config: Config, database: Database, logger: Logger): UserImporter {
  const clock = new Clock();
  const keys = new DerivedKeys(config.masterSecret, config.previousMasterSecret);
  return new UserImporter({
    repository: new ImportRepository(database),
    roles: new RolesRepository(database),
    audit: new AuditLog(new AuditRepository(database), new RefusalBudget(logger), clock, logger, keys),
    cipher: new SeedCipher(keys),
    hasher: new PasswordHasher(new HashGate(), logger, config),
    clock,
  });
}
