import type { AccountCandidate } from '../account-candidate.js';
import type { JsonObject } from '../reading/file-record.js';

/** How Firebase hashes the passwords of one project: its console shows it under "password hash parameters". */
export interface FirebaseHashing {
  /** Base64. */
  readonly signerKey: string;
  /** Base64. */
  readonly saltSeparator: string;
  readonly rounds: number;
  readonly memoryCost: number;
}

export interface FormatOptions {
  readonly now: Date;
  readonly firebase: FirebaseHashing | null;
}

/** Records of other tables that belong to one account, by the section of the document they stand in. */
export type Parts = Readonly<Record<string, readonly JsonObject[]>>;

/** What another system exports, and how it is read. */
export interface ImportFormat {
  readonly name: string;
  /** What it is, for help and messages. */
  readonly title: string;
  /** Members of a JSON document whose arrays hold accounts. A document that is an array holds accounts always. */
  readonly accountSections: readonly string[];
  /** Members whose arrays hold what belongs to accounts, and the member of those records that names the account's `id`. */
  readonly partSections: Readonly<Record<string, string>>;
  /** Columns of a CSV file without a header. Null: the first row names them. Left out: never CSV. */
  readonly csvColumns?: readonly string[] | null;
  /** Says what is wrong with the names of the columns, if something is. */
  checkColumns?(names: readonly string[]): string | null;
  /** @returns null for what is no account of a person, or was deleted @throws RowFault */
  read(record: JsonObject, parts: Parts, options: FormatOptions): AccountCandidate | null;
}
