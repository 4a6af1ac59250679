import { MAX_RECORD_BYTES } from './file-record.js';

/** Bytes of one record that may lie in several pieces of a file; never more than a record may have. */
export class BytesInPieces {
  private pieces: Buffer[] = [];
  private length = 0;

  /** More than a record may have: nothing of it is held. */
  get isTooLong(): boolean {
    return this.length > MAX_RECORD_BYTES;
  }

  get isEmpty(): boolean {
    return this.length === 0;
  }

  add(piece: Buffer): void {
    this.length += piece.length;
    if (this.isTooLong) this.pieces = [];
    else this.pieces.push(piece);
  }

  /** All of them, and begins anew. */
  take(): Buffer {
    const bytes = this.pieces.length === 1 ? this.pieces[0] : Buffer.concat(this.pieces);
    this.pieces = [];
    this.length = 0;
    return bytes;
  }
}
