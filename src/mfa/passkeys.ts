import { Inject, Injectable } from '@nestjs/common';
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import type { EntityManager } from 'typeorm';
import { parse as parseUuid } from 'uuid';

import { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import { MULTI_FACTOR, SERVICE_NAME } from '../common/second-factors.js';
import { CONFIG, type Config } from '../config/config.js';
import { UsersRepository } from '../users/users.repository.js';
import { CHALLENGE_SECONDS, Challenges } from './challenges.repository.js';
import { Passkey } from './passkey.entity.js';
import { PasskeysRepository } from './passkeys.repository.js';

/** Large, and needed by few processes in their first minutes. */
const webauthn = () => import('@simplewebauthn/server');

const TIMEOUT_MS = CHALLENGE_SECONDS * 1000;

/** Passkeys by WebAuthn Level 3: how they are made and used. */
@Injectable()
export class Passkeys {
  private readonly rp: Config['mfa']['relyingParty'];

  constructor(
    private readonly repository: PasskeysRepository,
    private readonly users: UsersRepository,
    private readonly challenges: Challenges,
    private readonly clock: Clock,
    @Inject(CONFIG) { mfa }: Config,
  ) {
    this.rp = mfa.relyingParty;
  }

  /** What `navigator.credentials.create` needs: discoverable, and never a second one on the same authenticator. */
  async creationOptions(
    user: { userId: string; username: string },
    use: string,
  ): Promise<PublicKeyCredentialCreationOptionsJSON> {
    const { generateRegistrationOptions } = await webauthn();
    const present = await this.repository.list(user.userId);
    return generateRegistrationOptions({
      rpName: SERVICE_NAME,
      rpID: this.rp.id,
      userName: user.username,
      userDisplayName: user.username,
      userID: new Uint8Array(parseUuid(user.userId)),
      challenge: bytesOf(this.challenges.issue(use)),
      timeout: TIMEOUT_MS,
      attestationType: 'none',
      excludeCredentials: present.map(describe),
      authenticatorSelection: { residentKey: 'required', userVerification: 'preferred' },
    });
  }

  /** Takes a new passkey, within `tx`; null where its answer is not one to a challenge of ours, or it is taken. */
  async register(
    tx: EntityManager,
    userId: string,
    name: string,
    response: RegistrationResponseJSON,
    use: string,
  ): Promise<Passkey | null> {
    const { verifyRegistrationResponse } = await webauthn();
    const challenge = challengeOf(response.response.clientDataJSON);
    const verified = await unlessInvalid(() =>
      verifyRegistrationResponse({
        response,
        expectedChallenge: textOf(challenge),
        expectedOrigin: [...this.rp.origins],
        expectedRPID: this.rp.id,
        requireUserVerification: false,
      }),
    );
    if (!verified?.verified || !(await this.challenges.spend(tx, challenge, use))) return null;
    const { credential, aaguid, credentialDeviceType, credentialBackedUp } = verified.registrationInfo;
    const now = this.clock.now();
    const passkey: Passkey = {
      id: newId(now),
      userId,
      credentialId: Buffer.from(credential.id, 'base64url'),
      publicKey: Buffer.from(credential.publicKey),
      signCount: String(credential.counter),
      transports: credential.transports ?? [],
      aaguid,
      backupEligible: credentialDeviceType === 'multiDevice',
      backedUp: credentialBackedUp,
      name,
      lastUsedAt: null,
      createdAt: now,
    };
    return (await this.repository.insert(tx, passkey)) ? passkey : null;
  }

  /** What `navigator.credentials.get` needs: any passkey of this user, or of whoever answers where it is null. */
  async requestOptions(userId: string | null, use: string): Promise<PublicKeyCredentialRequestOptionsJSON> {
    const { generateAuthenticationOptions } = await webauthn();
    return generateAuthenticationOptions({
      rpID: this.rp.id,
      challenge: bytesOf(this.challenges.issue(use)),
      timeout: TIMEOUT_MS,
      userVerification: userId === null ? 'required' : 'preferred',
      ...(userId !== null && { allowCredentials: (await this.repository.list(userId)).map(describe) }),
    });
  }

  /**
   * Checks a passkey's answer and spends its challenge, within `tx`; null where it is not right. Alone (`userId` null) the
   * passkey must have checked who holds it; beside a password that is not asked.
   */
  async authenticate(
    tx: EntityManager,
    userId: string | null,
    response: AuthenticationResponseJSON,
    use: string,
  ): Promise<Passkey | null> {
    const passkey = await this.repository.findByCredentialId(tx, Buffer.from(response.id, 'base64url'));
    if (!passkey || (userId !== null && passkey.userId !== userId)) return null;
    await this.users.lock(tx, passkey.userId);
    const { userHandle } = response.response;
    if (userId === null && !userHandle) return null; // WebAuthn Level 3, section 7.2, step 6
    if (userHandle && userHandle !== Buffer.from(parseUuid(passkey.userId)).toString('base64url')) return null;
    const { verifyAuthenticationResponse } = await webauthn();
    const challenge = challengeOf(response.response.clientDataJSON);
    const verified = await unlessInvalid(() =>
      verifyAuthenticationResponse({
        response,
        expectedChallenge: textOf(challenge),
        expectedOrigin: [...this.rp.origins],
        expectedRPID: this.rp.id,
        credential: {
          id: response.id,
          publicKey: new Uint8Array(passkey.publicKey),
          counter: Number(passkey.signCount),
        },
        requireUserVerification: userId === null,
      }),
    );
    if (!verified?.verified) return null;
    const { newCounter, credentialBackedUp } = verified.authenticationInfo;
    if (!(await this.challenges.spend(tx, challenge, use))) return null;
    if (!(await this.repository.use(tx, passkey.id, newCounter, credentialBackedUp, this.clock.now()))) return null;
    return passkey;
  }
}

/** The `amr` values of a passkey (RFC 8176): whether its key may leave the device, and that it makes two factors. */
export const amrOf = ({ backupEligible }: Passkey): string[] => [backupEligible ? 'swk' : 'hwk', MULTI_FACTOR];

const describe = ({ credentialId, transports }: Passkey) => ({ id: credentialId.toString('base64url'), transports });

/** Our challenges are text; on the wire they are its bytes in base64url. */
const bytesOf = (challenge: string) => new Uint8Array(Buffer.from(challenge));
const textOf = (challenge: string): string => Buffer.from(challenge).toString('base64url');

/** The challenge that a client says it answers; whether it is ours is for others to check. */
function challengeOf(clientDataJson: string): string {
  try {
    const { challenge } = JSON.parse(Buffer.from(clientDataJson, 'base64url').toString()) as { challenge?: unknown };
    return typeof challenge === 'string' ? Buffer.from(challenge, 'base64url').toString() : '';
  } catch {
    return '';
  }
}

/** The library throws on whatever it does not like. */
async function unlessInvalid<T>(verify: () => Promise<T>): Promise<T | null> {
  try {
    return await verify();
  } catch {
    return null;
  }
}
