import { DerivedKeys } from '../common/crypto/derived-keys.js';
import { newSalt, RefreshTokens } from './refresh-token.js';

describe('RefreshTokens', () => {
  const tokens = new RefreshTokens(new DerivedKeys('a master secret'));
  const content = { sessionId: '019a0f6e-6f0a-7c3e-9d2b-3f6f2f1f9a10', counter: 4_294_967_295, salt: newSalt() };

  it('opens what it minted', () => {
    const opened = tokens.open(tokens.mint(content))!;
    expect({ ...opened, salt: opened.salt.toString('hex') }).toEqual({
      ...content,
      salt: content.salt.toString('hex'),
    });
  });

  it('mints the same token for the same content: a successor can be made again', () => {
    expect(tokens.mint(content)).toBe(tokens.mint({ ...content, salt: Buffer.from(content.salt) }));
  });

  it('refuses every change of a single character', () => {
    const token = tokens.mint(content);
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === 'A' ? 'B' : 'A';
      expect(tokens.open(token.slice(0, at) + other + token.slice(at + 1))).toBeNull();
    }
  });

  it('refuses a token of another master secret, and one that is not text', () => {
    expect(new RefreshTokens(new DerivedKeys('another')).open(tokens.mint(content))).toBeNull();
    for (const value of [undefined, null, 7, {}, [tokens.mint(content)], '']) expect(tokens.open(value)).toBeNull();
  });
});
