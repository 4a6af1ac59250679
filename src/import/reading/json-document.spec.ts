import fc from 'fast-check';

import type { FileRecord } from './file-record.js';
import { JsonDocument } from './json-document.js';

/** The records of a text whose bytes come in pieces of `size`. */
function read(text: string, size: number, sections = ['users']): FileRecord[] {
  const document = new JsonDocument((name) => sections.includes(name));
  const bytes = Buffer.from(text);
  const records: FileRecord[] = [];
  for (let at = 0; at < bytes.length; at += size) records.push(...document.push(bytes.subarray(at, at + size)));
  return [...records, ...document.end()];
}

describe('JsonDocument', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue());
  const layout = fc.constantFrom(undefined, 1, '\t');

  it('finds in any array what JSON.parse finds there, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(object), layout, fc.integer({ min: 1, max: 40 }), (elements, space, size) => {
        const text = JSON.stringify(elements, null, space);
        expect(read(text, size).map(({ value }) => value)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('finds the arrays of an object that it is to find, and passes over all else', () => {
    fc.assert(
      fc.property(
        object,
        fc.array(object),
        object,
        layout,
        fc.integer({ min: 1, max: 40 }),
        (before, users, after, space, size) => {
          const members = [...Object.entries(before), ...Object.entries(after)].filter(([name]) => name !== 'users');
          const text = JSON.stringify({ ...Object.fromEntries(members), users }, null, space);
          const records = read(text, size);
          expect(records.map(({ value }) => value)).toEqual((JSON.parse(text) as { users: unknown }).users);
          expect(records.every(({ section }) => section === 'users')).toBe(true);
        },
      ),
    );
  });

  it('tells the line of each element', () => {
    const text = '{ "realm":\n"a\\"}",\n"users": [\n{"a":\n1}, {"b":2},\n7,\n\n"x"\n] }\n';
    for (const size of [1, 7, 1000])
      expect(read(text, size).map(({ line, fault }) => [line, fault ?? null])).toEqual([
        [4, null],
        [5, null],
        [6, 'must be a JSON object'],
        [8, 'must be a JSON object'],
      ]);
  });

  it('takes no beginning of a document for a whole one', () => {
    const text = JSON.stringify({ realm: 'old', users: [{ a: '}]"' }, { b: [1, { c: null }] }], rest: [1, 'x'] });
    for (let length = 1; length < text.length; length++)
      expect(() => read(text.slice(0, length), 5)).toThrow('the file ends in the middle');
  });

  it.each(['[,]', '[1,,2]', '[1 2', '{"a" 1}', '{,}', '{"a":1,}', '[]x', 'null', '1', ']', '[{"a":1},]'])(
    'refuses %s',
    (text) => {
      expect(() => read(text, 3)).toThrow(/is no JSON document here|ends in the middle/);
    },
  );
});
