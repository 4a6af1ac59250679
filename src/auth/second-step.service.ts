import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

import { AuditLog } from '../audit/audit-log.js';
import { ACCOUNT_DISABLED, MFA_INVALID } from '../common/problem/catalogue.js';
import { Problem } from '../common/problem/problem.js';
import type { RequestSource } from '../common/request-source.js';
import type { SecondFactorMethod } from '../common/second-factors.js';
import { FactorsService, type Owner } from '../mfa/factors.service.js';
import { type HalfWay, type HalfWayPurpose, HalfWaySignIns } from '../mfa/half-way-sign-ins.repository.js';
import { amrOf, Passkeys } from '../mfa/passkeys.js';
import { methodOfCode, type Proof, SecondFactors } from '../mfa/second-factors.js';
import { type DeviceEvidence, deviceOfSession } from '../sessions/device.js';
import { type Account, UsersRepository } from '../users/users.repository.js';
import { NewSessions } from './new-sessions.js';
import type { ConfirmEnrollmentRequest, PasskeySignInRequest, SecondStepRequest } from './second-step.schemas.js';
import type { SignedIn, SignedInHalfWay, SignInOrigin } from './signed-in.js';

/** Somebody whose password was right. */
export interface FirstStep {
  readonly account: Pick<Account, 'id' | 'second_factors' | 'password_changed_at'>;
  readonly purpose: HalfWayPurpose;
  readonly amr: string[];
  /** The browser, if the user is known by it. */
  readonly knownAs: string | null;
  readonly deviceId: string | null;
}

const ENROLLED = 'Your account has a second factor by now. Sign in again, with it.';
const EXPIRED = 'This sign-in has expired, was completed, or began in another browser. Sign in again.';

/** The second of the two steps of a sign-in, and the sign-in by a passkey alone. Until it is done there is no session. */
@Injectable()
export class SecondStepService {
  constructor(
    private readonly halfWays: HalfWaySignIns,
    private readonly secondFactors: SecondFactors,
    private readonly factors: FactorsService,
    private readonly passkeys: Passkeys,
    private readonly users: UsersRepository,
    private readonly newSessions: NewSessions,
    private readonly audit: AuditLog,
  ) {}

  /** Asks for the second step, within the transaction that settles the first one. */
  async ask(
    tx: EntityManager,
    { account, purpose, amr, knownAs, deviceId }: FirstStep,
    browser: string,
    source: RequestSource,
  ): Promise<SignedInHalfWay> {
    const halfWay = await this.halfWays.begin(
      tx,
      {
        user_id: account.id,
        purpose,
        device_key: knownAs,
        device_id: deviceId,
        amr,
        password_changed_at: account.password_changed_at!,
      },
      browser,
    );
    const methods: SecondFactorMethod[] = purpose === 'verify' ? account.second_factors : ['totp'];
    const details = { purpose, methods };
    await this.audit.record(tx, { type: 'login.challenged', userId: account.id, details }, source);
    return { halfWay, purpose, methods };
  }

  /** Completes a sign-in by a second factor. @throws Problem `mfa_invalid`, `account_locked`, `account_disabled` */
  async verify(request: SecondStepRequest, origin: SignInOrigin): Promise<SignedIn> {
    const halfWay = await this.attempt(request.mfa_token, 'verify', request.device_id, origin);
    const account = await this.accountOf(halfWay, origin.source);
    const proof: Proof =
      'response' in request
        ? { method: 'passkey', response: request.response, use: useOf(halfWay) }
        : { method: request.method ?? methodOfCode(request.code), code: request.code };
    const prover = { userId: account.id, deviceKey: halfWay.device_key };
    return this.secondFactors.prove(prover, proof, origin.source, (tx, amr) =>
      this.begin(tx, halfWay, account, amr, origin, request.remember_device),
    );
  }

  /** What a passkey needs to be the second factor. @throws Problem `mfa_invalid` */
  async passkeyOptions(token: string, browser: string) {
    const halfWay = await this.halfWays.find(token, 'verify', browser);
    if (!halfWay) throw new Problem(MFA_INVALID, { detail: EXPIRED });
    return this.passkeys.requestOptions(halfWay.user_id, useOf(halfWay));
  }

  /** Sets up an authenticator app for somebody whom the policy does not let in without one. @throws Problem `mfa_invalid` */
  async setUpTotp(token: string, browser: string, source: RequestSource) {
    const halfWay = await this.halfWays.attempt(token, 'enroll', browser);
    if (!halfWay) throw new Problem(MFA_INVALID, { detail: EXPIRED });
    const account = await this.accountOf(halfWay, source);
    if (account.second_factors.length > 0) throw new Problem(MFA_INVALID, { detail: ENROLLED });
    return this.factors.setUpTotp(ownerOf(account), 'Authenticator app', source);
  }

  /** Puts it in use, and signs in. @throws Problem `mfa_invalid`, `account_locked`, `account_disabled` */
  async confirmTotp(
    request: ConfirmEnrollmentRequest,
    origin: SignInOrigin,
  ): Promise<SignedIn & { recoveryCodes: string[] }> {
    const halfWay = await this.attempt(request.mfa_token, 'enroll', request.device_id, origin);
    const account = await this.accountOf(halfWay, origin.source);
    const prover = { userId: account.id, deviceKey: halfWay.device_key };
    return this.factors.confirmTotp(
      ownerOf(account),
      prover,
      request.code,
      origin.source,
      async (tx, { recoveryCodes }, amr) => {
        if (recoveryCodes.length === 0) throw new Problem(MFA_INVALID, { detail: ENROLLED }); // not the first factor
        const signedIn = await this.begin(tx, halfWay, account, amr, origin, false);
        return signedIn && { ...signedIn, recoveryCodes };
      },
    );
  }

  /** What a passkey needs to sign somebody in alone. */
  signInOptions(browser: string) {
    return this.passkeys.requestOptions(null, signInUse(browser));
  }

  /** Signs in by a passkey alone, which checked who holds it. @throws Problem `mfa_invalid`, `account_disabled` */
  async signIn({ response }: PasskeySignInRequest, origin: SignInOrigin): Promise<SignedIn> {
    const { device, source, browser } = origin;
    const outcome = await this.newSessions.transaction(async (tx): Promise<SignedIn | { disabled: Account } | null> => {
      const used = await this.passkeys.authenticate(tx, null, response, signInUse(browser));
      const account = used && (await this.users.findById(used.userId, tx));
      if (!account) return null;
      if (!account.is_active) return { disabled: account }; // the challenge is spent all the same
      const known = await this.newSessions.knows(tx, account.id, device.deviceKey);
      const amr = ['user', ...amrOf(used)];
      return this.newSessions.begin(
        tx,
        { account: { ...account, password_changed_at: undefined }, amr, device: deviceOfSession(device, known) },
        origin.replaced,
        source,
      );
    });
    if (outcome && 'disabled' in outcome) return this.refuseDisabled(outcome.disabled, source);
    if (outcome) return outcome;
    await this.audit.recordRefusal({ type: 'login.failed', details: { reason: 'passkey' } }, source);
    throw new Problem(MFA_INVALID, {
      detail: 'The passkey is not known here, or its answer came too late. Try again.',
    });
  }

  private async begin(
    tx: EntityManager,
    halfWay: HalfWay,
    account: Account,
    amr: string[],
    { device, replaced, source }: SignInOrigin,
    remember: boolean,
  ): Promise<SignedIn | null> {
    if (!(await this.halfWays.spend(tx, halfWay.id))) return null;
    const ofSession: DeviceEvidence = {
      ...deviceOfSession(device, halfWay.device_key !== null && halfWay.device_key === device.deviceKey),
      deviceId: halfWay.device_id,
    };
    const beginning = {
      account: { ...account, password_changed_at: halfWay.password_changed_at },
      amr: [...halfWay.amr, ...amr],
      device: ofSession,
    };
    const signedIn = await this.newSessions.begin(tx, beginning, replaced, source);
    if (signedIn && remember) await this.newSessions.remember(tx, signedIn, source);
    return signedIn;
  }

  private async attempt(
    token: string,
    purpose: HalfWayPurpose,
    deviceId: string | undefined,
    { browser, source }: SignInOrigin,
  ): Promise<HalfWay> {
    const halfWay = await this.halfWays.attempt(token, purpose, browser);
    const isSameDevice = deviceId === undefined || deviceId === halfWay?.device_id;
    if (halfWay && isSameDevice) return halfWay;
    await this.audit.recordRefusal(
      { type: 'mfa.refused', userId: halfWay?.user_id, details: { reason: 'token', purpose } },
      source,
    );
    throw new Problem(MFA_INVALID, { detail: EXPIRED });
  }

  private async accountOf({ user_id }: HalfWay, source: RequestSource): Promise<Account> {
    const account = await this.users.findById(user_id);
    if (!account) throw new Problem(MFA_INVALID, { detail: EXPIRED });
    return account.is_active ? account : this.refuseDisabled(account, source);
  }

  private async refuseDisabled({ id }: Account, source: RequestSource): Promise<never> {
    await this.audit.recordAlone({ type: 'login.refused', userId: id, details: { reason: 'disabled' } }, source);
    throw new Problem(ACCOUNT_DISABLED);
  }
}

const ownerOf = ({ id, username }: Account): Owner => ({ userId: id, username, sessionId: null });

const useOf = ({ id }: HalfWay): string => `second-step|${id}`;
const signInUse = (browser: string): string => `sign-in|${browser}`;
