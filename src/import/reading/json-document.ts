import { BytesInPieces } from './bytes-in-pieces.js';
import { FileFault, type FileRecord, readJson, tooLong } from './file-record.js';

/** Names of members are read up to this length. */
const MAX_NAME_BYTES = 256;

const [QUOTE, BACKSLASH, COMMA, COLON, NEWLINE] = Buffer.from('"\\,:\n');
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('[]{}');

type Expected =
  | 'document'
  | 'name or end'
  | 'name'
  | 'in name'
  | 'colon'
  | 'member'
  | 'comma or end of object'
  | 'element or end'
  | 'element'
  | 'comma or end of array'
  | 'in value'
  | 'nothing';

/**
 * Finds, as the bytes come, the elements of the arrays that hold records: those of a document that is an array, or of
 * the members of a document that is an object. It holds one element at a time and knows its line, which parsers of
 * streams do not tell; what is in an element is JSON.parse's to judge.
 */
export class JsonDocument {
  private expected: Expected = 'document';
  private line = 1;
  private isArrayDocument = false;
  private section = '';
  /** Of the value that is being passed: brackets that are open, and whether it is in a text. */
  private depth = 0;
  private inText = false;
  private escaped = false;
  private isKept = false;
  private valueLine = 0;
  private readonly value = new BytesInPieces();
  private name = '';
  private nameBytes: string[] = [];

  /** @param wants Whether the array of this member holds records. */
  constructor(private readonly wants: (section: string) => boolean) {}

  /** @throws FileFault where it is no JSON */
  push(chunk: Buffer): FileRecord[] {
    const records: FileRecord[] = [];
    let from = 0; // of the value that is being kept
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte === NEWLINE) this.line++;
      if (this.expected === 'in value') {
        if (!this.passes(byte)) continue;
        // A number or word ends before what ends it; all else with its last byte.
        const isDelimited = this.depth < 0;
        const end = isDelimited ? at : at + 1;
        if (this.isKept) {
          this.value.add(chunk.subarray(from, end));
          records.push(this.takeRecord());
        }
        this.expected = this.inArray ? 'comma or end of array' : 'comma or end of object';
        if (isDelimited) this.step(byte);
        continue;
      }
      if (this.expected === 'in name') this.readName(byte);
      else if (!isSpace(byte)) {
        this.step(byte);
        if ((this.expected as Expected) === 'in value') from = at;
      }
    }
    if (this.expected === 'in value' && this.isKept) this.value.add(chunk.subarray(from));
    return records;
  }

  /** @throws FileFault where the file ends before the document does */
  end(): FileRecord[] {
    if (this.expected !== 'nothing') throw new FileFault('the file ends in the middle of the JSON document', this.line);
    return [];
  }

  private get inArray(): boolean {
    return this.isArrayDocument || this.section !== '';
  }

  private step(byte: number): void {
    switch (this.expected) {
      case 'document':
        this.isArrayDocument = byte === OPEN_ARRAY;
        if (!this.isArrayDocument && byte !== OPEN_OBJECT) this.refuse();
        this.expected = this.isArrayDocument ? 'element or end' : 'name or end';
        break;
      case 'name or end':
      case 'name':
        if (byte === CLOSE_OBJECT && this.expected === 'name or end') this.expected = 'nothing';
        else if (byte === QUOTE) this.expected = 'in name';
        else this.refuse();
        break;
      case 'colon':
        if (byte !== COLON) this.refuse();
        this.expected = 'member';
        break;
      case 'member':
        if (byte === OPEN_ARRAY && this.name !== '' && this.wants(this.name)) {
          this.section = this.name;
          this.expected = 'element or end';
        } else this.begin(byte, false);
        break;
      case 'comma or end of object':
        if (byte !== COMMA && byte !== CLOSE_OBJECT) this.refuse();
        this.expected = byte === COMMA ? 'name' : 'nothing';
        break;
      case 'element or end':
      case 'element':
        if (byte === CLOSE_ARRAY && this.expected === 'element or end') this.leaveArray();
        else this.begin(byte, true);
        break;
      case 'comma or end of array':
        if (byte === COMMA) this.expected = 'element';
        else if (byte === CLOSE_ARRAY) this.leaveArray();
        else this.refuse();
        break;
      default:
        this.refuse();
    }
  }

  private leaveArray(): void {
    this.expected = this.isArrayDocument ? 'nothing' : 'comma or end of object';
    this.section = '';
  }

  private begin(byte: number, isKept: boolean): void {
    if (byte === COMMA || byte === CLOSE_ARRAY || byte === CLOSE_OBJECT || byte === COLON) this.refuse();
    this.expected = 'in value';
    this.isKept = isKept;
    this.valueLine = this.line;
    this.depth = byte === OPEN_ARRAY || byte === OPEN_OBJECT ? 1 : 0;
    this.inText = byte === QUOTE;
    this.escaped = false;
  }

  /** Whether the value is over: with this byte, or, then `depth` is below zero, before it. */
  private passes(byte: number): boolean {
    if (this.inText) {
      if (this.escaped) this.escaped = false;
      else if (byte === BACKSLASH) this.escaped = true;
      else if (byte === QUOTE) {
        this.inText = false;
        return this.depth === 0;
      }
      return false;
    }
    switch (byte) {
      case QUOTE:
        this.inText = true;
        return false;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        this.depth++;
        return false;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        return --this.depth <= 0;
      case COMMA:
        if (this.depth > 0) return false;
        this.depth = -1;
        return true;
      default:
        return false;
    }
  }

  private takeRecord(): FileRecord {
    if (!this.value.isTooLong) return readJson(this.value.take(), this.valueLine, this.section);
    this.value.take();
    return tooLong(this.valueLine, this.section);
  }

  private readName(byte: number): void {
    if (byte === QUOTE && !this.escaped) {
      this.expected = 'colon';
      this.name = this.nameBytes.join('');
      this.nameBytes = [];
      return;
    }
    this.escaped = byte === BACKSLASH && !this.escaped;
    if (this.nameBytes.length < MAX_NAME_BYTES) this.nameBytes.push(String.fromCharCode(byte));
  }

  private refuse(): never {
    throw new FileFault('is no JSON document here', this.line);
  }
}

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
