/** A row that was not imported. It never holds what stood in the file, beyond the names of members and roles. */
export interface BadRow {
  readonly line: number;
  /** Null where the row as a whole cannot be read. */
  readonly field: string | null;
  readonly reason: string;
}

/** What an import did, or found. */
export interface ImportReport {
  /** `refused`: there are bad rows, so nothing was written. `done_before`: this very file was imported. */
  readonly outcome: 'imported' | 'checked' | 'refused' | 'done_before';
  readonly format: string;
  readonly file_sha256: string;
  /** Records of accounts in the file. */
  readonly rows: number;
  readonly imported: number;
  readonly bad: number;
  /** No accounts of people, or deleted ones. */
  readonly left_out: number;
  readonly without_password: number;
  /** Second factors that could not be taken along, by kind. */
  readonly left_behind: Readonly<Record<string, number>>;
  readonly roles_created: readonly string[];
  /** Records that an earlier try had done with; 0 where this was the first. */
  readonly resumed_after: number;
  readonly seconds: number;
  /** Of the pass that wrote; null where none did. */
  readonly rows_per_second: number | null;
}

export interface Progress {
  readonly pass: 'reading' | 'checking' | 'writing';
  /** Of the file. */
  readonly bytes: number;
  readonly ofBytes: number;
}

/** Whoever wants to know how it goes. */
export interface ImportListener {
  onFormat(format: string, title: string): void;
  onBadRow(row: BadRow): void;
  onProgress(progress: Progress): void;
}
