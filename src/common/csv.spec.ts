import { csvLine } from './csv.js';

describe('csvLine', () => {
  it('quotes text, doubles quotes, and ends in CRLF (RFC 4180)', () => {
    expect(csvLine(['a', 'b "c", d', 'two\nlines', null, 1.5, -2, ''])).toBe(
      '"a","b ""c"", d","two\nlines",,1.5,-2,""\r\n',
    );
  });

  it.each([
    '=1+1',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    '\n=1',
    ' =1',
    '\u00a0=1',
    '＝1',
    '＋1',
    '－1',
    '＠x',
    '\tx',
  ])('shows %j, and does not let it run', (formula) => {
    expect(csvLine([formula])).toBe(`"'${formula}"\r\n`);
  });

  it.each(['a=1', '1-1', '{"a":"=1"}', 'ada@example.com', "'", 'Mozilla/5.0 (X11)', ' a'])(
    'leaves %j alone',
    (text) => {
      expect(csvLine([text])).toBe(`"${text.replaceAll('"', '""')}"\r\n`);
    },
  );
});
