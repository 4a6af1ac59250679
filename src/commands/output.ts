/** What a command says: a table for people, or JSON for programs. */
export class Output {
  constructor(readonly isJson: boolean) {}

  /** One thing. */
  item(members: Record<string, unknown>): void {
    if (this.isJson) return this.json(members);
    const width = Math.max(...Object.keys(members).map((name) => name.length));
    for (const [name, value] of Object.entries(members)) this.line(`${name.padEnd(width)}  ${show(value)}`);
  }

  /** Several alike. */
  list(items: Record<string, unknown>[]): void {
    if (this.isJson) return this.json(items);
    if (items.length === 0) return this.line('Nothing.');
    const names = Object.keys(items[0]);
    const rows = [names, ...items.map((item) => names.map((name) => show(item[name])))];
    const widths = names.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
    for (const row of rows)
      this.line(
        row
          .map((cell, column) => cell.padEnd(widths[column]))
          .join('  ')
          .trimEnd(),
      );
  }

  json(value: unknown): void {
    this.line(JSON.stringify(value, null, 2));
  }

  private line(text: string): void {
    process.stdout.write(`${text}\n`);
  }
}

function show(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.join(',');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
