import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createInterface } from 'node:readline';

/**
 * A Bloom filter over SHA-1 hashes (Bloom, CACM 13 (7), 1970), in a file: 16 bytes of header
 * (`LKBF`, version, number of probes, two bytes unused, number of entries as uint64 LE), then the
 * bits. 24 bits an entry and 16 probes: about 1 in 100,000 passwords is taken for a breached one.
 * The hash of the password is itself the source of the probes (Kirsch and Mitzenmacher, 2006).
 */
const MAGIC = 'LKBF';
const VERSION = 1;
const HEADER_BYTES = 16;
const BITS_AN_ENTRY = 24;
const PROBES = 16;
const LINE = /^([0-9A-Fa-f]{40})(?::(\d{1,12}))?\s*$/;
/** More lines than this that are no hashes: it is another kind of file. */
const BAD_SHARE_MAX = 0.01;

export interface BuildReport {
  read: number;
  kept: number;
  bad: number;
}

export interface BuildOptions {
  /** Leaves out what was seen less often, where the list has counts. */
  minCount?: number;
  /** In bytes of the list, which is read twice. */
  onProgress?: (read: number, of: number) => void;
}

/** Answers whether a password is in a list of breached ones: never wrongly no. */
export class BreachFilter {
  private constructor(
    private readonly bits: Buffer,
    private readonly probes: number,
  ) {}

  /** @throws Error in plain words where the file is not a whole filter */
  static open(file: string): BreachFilter {
    const bytes = fs.readFileSync(file);
    const isOurs = bytes.length > HEADER_BYTES && bytes.toString('latin1', 0, 4) === MAGIC && bytes[4] === VERSION;
    if (!isOurs) throw new Error(`${file} is no breach filter: make one with latchkey breach build`);
    const entries = Number(bytes.readBigUInt64LE(8));
    if (bytes.length !== HEADER_BYTES + bitsFor(entries) / 8) throw new Error(`${file} is cut short: build it again`);
    return new BreachFilter(bytes.subarray(HEADER_BYTES), bytes[5]);
  }

  has(password: string): boolean {
    const hash = createHash('sha1').update(password).digest(); // the lists' own: it protects nothing here
    for (const bit of probesOf(hash, this.bits.length * 8, this.probes)) {
      if (!(this.bits[Math.floor(bit / 8)] & (1 << (bit % 8)))) return false;
    }
    return true;
  }
}

/**
 * Builds a filter from lines of `HASH` or `HASH:COUNT` (the download format of Have I Been Pwned),
 * reading twice and holding only the filter. The output appears whole or not at all.
 * @throws Error where more than one line in a hundred is no hash
 */
export async function buildBreachFilter(
  input: string,
  output: string,
  options: BuildOptions = {},
): Promise<BuildReport> {
  const report = await forEachHash(input, options, () => {});
  if (report.kept === 0 || report.bad > report.read * BAD_SHARE_MAX) {
    throw new Error(`${input}: ${report.bad} of ${report.read} lines are no SHA-1 hashes`);
  }
  const bits = Buffer.alloc(bitsFor(report.kept) / 8);
  await forEachHash(input, options, (hash) => {
    for (const bit of probesOf(hash, bits.length * 8, PROBES)) bits[Math.floor(bit / 8)] |= 1 << (bit % 8);
  });
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 'latin1');
  header[4] = VERSION;
  header[5] = PROBES;
  header.writeBigUInt64LE(BigInt(report.kept), 8);
  const draft = `${output}.${process.pid}.tmp`;
  fs.writeFileSync(draft, Buffer.concat([header, bits]));
  fs.renameSync(draft, output);
  return report;
}

async function forEachHash(
  input: string,
  { minCount = 0, onProgress }: BuildOptions,
  keep: (hash: Buffer) => void,
): Promise<BuildReport> {
  const report: BuildReport = { read: 0, kept: 0, bad: 0 };
  const { size } = fs.statSync(input);
  const stream = fs.createReadStream(input);
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
    if (line === '') continue;
    if (++report.read % 100_000 === 0) onProgress?.(stream.bytesRead, size);
    const [, hex, count] = LINE.exec(line) ?? [];
    if (hex === undefined) report.bad++;
    else if (count === undefined || Number(count) >= minCount) {
      report.kept++;
      keep(Buffer.from(hex, 'hex'));
    }
  }
  return report;
}

/** A multiple of eight, and at least one byte. */
const bitsFor = (entries: number): number => Math.ceil((Math.max(entries, 1) * BITS_AN_ENTRY) / 8) * 8;

function* probesOf(hash: Buffer, size: number, probes: number): Generator<number> {
  const first = hash.readUIntBE(0, 6);
  const step = hash.readUIntBE(6, 6);
  for (let probe = 0; probe < probes; probe++) yield (first + probe * step) % size;
}
