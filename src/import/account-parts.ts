import { textOf } from './formats/values.js';
import type { AccountPart, ImportParts } from './import-parts.repository.js';
import { FileFault, type FileRecord } from './reading/file-record.js';
import type { SourceFile } from './reading/source-file.js';

/** Tables that SQL exports name their columns so. */
const SNAKE: Readonly<Record<string, string>> = { userId: 'user_id' };

/** Whether what belongs to an account may stand elsewhere in the file. */
export const hasParts = ({ shape, format }: SourceFile): boolean =>
  shape === 'object' && Object.keys(format.partSections).length > 0;

/** By what parts name an account; '' where none can. */
export const ownerOf = ({ value }: FileRecord): string => nameOf(value?.id);

/**
 * Keeps what belongs to accounts and stands in arrays of its own where any account's can be asked for.
 * It may be what protects an account: none is left out in silence. @throws FileFault
 */
export async function keepParts(file: SourceFile, parts: ImportParts, onBytes: (read: number) => void): Promise<void> {
  for await (const records of file.parts(onBytes)) {
    for (const section of new Set(records.map((record) => record.section))) {
      const inSection = records.filter((record) => record.section === section);
      await parts.add(
        section,
        inSection.map((record) => toPart(record, file.format.partSections[section])),
      );
    }
  }
  const crowded = await parts.findCrowded();
  if (crowded !== null) throw new FileFault('belongs to an account that has more of these than any can have', crowded);
}

function toPart({ value, fault, line }: FileRecord, member: string): AccountPart {
  if (value === null) throw new FileFault(fault!, line);
  const named = value[member] ?? value[SNAKE[member] ?? member];
  if (typeof named === 'number' && !Number.isSafeInteger(named)) {
    throw new FileFault(`${member} is a number that is not exact: write it as text`, line);
  }
  const owner = nameOf(named);
  if (owner === '') throw new FileFault(`${member} names no account`, line);
  try {
    return { owner, line, body: JSON.stringify(value) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FileFault('is nested too deep', line);
  }
}

/** PostgreSQL holds no NUL, and half a surrogate as any other. */
function nameOf(value: unknown): string {
  const name = textOf(value);
  return name.includes('\0') || !name.isWellFormed() ? '' : name;
}
