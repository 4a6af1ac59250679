import { randomBytes } from 'node:crypto';

/** RFC 6238, section 5.2, and what every authenticator app knows: HMAC-SHA-1, six digits. */
const TOTP_PERIOD_SECONDS = 30;
const CODE = /^[0-9]{6}$/;
/** RFC 4226, section 4, requirement 6: 160 bits. */
const SEED_BYTES = 20;

/** Loaded when the first code is asked for: few processes ever need it in their first minutes. */
const otplib = () => import('otplib');

export const newSeed = (): Buffer => randomBytes(SEED_BYTES);

/**
 * The time step (RFC 6238, section 4.2) whose code this is, or null. Steps up to `lastStep` are spent.
 * @param window How many steps before the present one count too.
 */
export async function matchStep(
  seed: Buffer,
  code: string,
  now: Date,
  window: 0 | 1,
  lastStep: number,
): Promise<number | null> {
  const epoch = Math.floor(now.getTime() / 1000);
  if (!CODE.test(code) || lastStep >= Math.floor(epoch / TOTP_PERIOD_SECONDS)) return null;
  const { verifySync } = await otplib();
  const found = verifySync({
    secret: seed,
    token: code,
    epoch,
    period: TOTP_PERIOD_SECONDS,
    epochTolerance: [window * TOTP_PERIOD_SECONDS, 0],
    afterTimeStep: lastStep,
  });
  return found.valid && 'timeStep' in found ? found.timeStep : null;
}

/** Whether a text has the form of a TOTP code, so that it is none of another kind. */
export const looksLikeTotp = (code: string): boolean => CODE.test(code);

/** A seed as authenticator apps take it: base32, an `otpauth` URI, and that as a QR code. */
export async function present(
  seed: Buffer,
  issuer: string,
  label: string,
): Promise<{ secret: string; otpauth_uri: string; qr_svg: string }> {
  const { ScureBase32Plugin, generateURI } = await otplib();
  const secret = new ScureBase32Plugin().encode(seed);
  const uri = generateURI({ issuer, label, secret });
  const [{ generate }, { toSvgSource }] = await Promise.all([import('lean-qr'), import('lean-qr/extras/svg')]);
  return {
    secret,
    otpauth_uri: uri,
    qr_svg: toSvgSource(generate(uri), { on: '#000', off: '#fff', pad: 4, scale: 4 }),
  };
}
