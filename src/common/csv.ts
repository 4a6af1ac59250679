/** A cell that begins like this is a formula to spreadsheets, also after spaces and in full-width letters (OWASP: CSV Injection). */
const FORMULA = /^(?:[\t\r\n]|\s*[=+\-@\uff1d\uff0b\uff0d\uff20])/;

/**
 * A line of CSV (RFC 4180), with its line break. Every text is quoted; one that a spreadsheet would run gets an apostrophe in front,
 * which spreadsheets do not show. Numbers are themselves; null is empty.
 */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  return `"${(FORMULA.test(value) ? `'${value}` : value).replaceAll('"', '""')}"`;
}
