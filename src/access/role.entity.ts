import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A name for a set of permissions (`area:verb`). */
@Entity('roles')
export class Role {
  @PrimaryColumn('text')
  name: string;

  @Column('text', { array: true, default: () => `'{}'` })
  permissions: string[];

  /** `user` and `admin` come with the service and stay. */
  @Column('boolean', { default: false })
  builtIn: boolean;

  @Column('timestamptz', { default: () => 'now()' })
  createdAt: Date;
}
