/** No account needs more than this in a file; a longer record is refused without being held. */
export const MAX_RECORD_BYTES = 1024 * 1024;

export type JsonObject = Readonly<Record<string, unknown>>;

/** One record of a file, as it stands there. */
export interface FileRecord {
  /** Where it begins: lines are counted from 1. */
  readonly line: number;
  /** The member of a JSON document whose array it is in; '' in all other files. */
  readonly section: string;
  /** How many it takes in the file, about. */
  readonly bytes: number;
  /** Null where it could not be read, for the reason that `fault` says. */
  readonly value: JsonObject | null;
  readonly fault?: string;
}

/** The file as a whole cannot be read on, from `line` on. The message is for whoever called the import. */
export class FileFault extends Error {
  constructor(reason: string, line?: number) {
    super(line === undefined ? reason : `line ${line}: ${reason}`);
    this.name = 'FileFault';
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What the bytes of one JSON value say, or why they say nothing. */
export function readJson(json: Buffer, line: number, section: string): FileRecord {
  const place = { line, section, bytes: json.length };
  let text: string;
  try {
    text = decoder.decode(json);
  } catch {
    return { ...place, value: null, fault: 'is not UTF-8' };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ...place, value: null, fault: 'is not JSON, or is cut short' }; // the parser's own words quote the text
  }
  return isObject(value) ? { ...place, value } : { ...place, value: null, fault: 'must be a JSON object' };
}

export const tooLong = (line: number, section: string): FileRecord => ({
  line,
  section,
  bytes: 0,
  value: null,
  fault: `is longer than ${MAX_RECORD_BYTES} bytes`,
});

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
