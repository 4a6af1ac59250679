import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** The import of one file, and how far it is. */
@Entity('user_imports')
@Unique(['importKey'])
export class UserImport {
  @PrimaryColumn('uuid')
  id: string;

  /** SHA-256 of the file's own and of what decides how it is read. */
  @Column('bytea')
  importKey: Buffer;

  @Column('bytea')
  fileSha256: Buffer;

  @Column('text')
  format: string;

  /** Records of the file that are done with. */
  @Column('integer', { default: 0 })
  position: number;

  @Column('integer', { default: 0 })
  imported: number;

  /** Of those up to `position`. */
  @Column('integer', { default: 0 })
  refused: number;

  @Column('timestamptz')
  startedAt: Date;

  @Column('timestamptz', { nullable: true })
  finishedAt: Date | null;
}
