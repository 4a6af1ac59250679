import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** A challenge that was answered: it counts no more. */
@Entity('spent_challenges')
@Index(['expiresAt'])
export class SpentChallenge {
  @PrimaryColumn('bytea')
  challengeHash: Buffer;

  @Column('timestamptz')
  expiresAt: Date;
}
