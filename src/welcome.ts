/** What a person sees who started the service by hand. */
export function welcome(port: number, embeddedFolder: string | null): string {
  const url = `http://localhost:${port}`;
  return `
  Latchkey is ready.

    Service    ${url}
    Try it     ${url}/docs
    Contract   ${url}/openapi.yaml
    Database   ${embeddedFolder ? `embedded PostgreSQL in ${embeddedFolder}` : 'your server'}

  Make an account:

    curl ${url}/auth/register -H 'X-Auth-Transport: body' -H 'Content-Type: application/json' \\
      -d '{"username":"ada","email":"ada@example.com","password":"correct-horse-battery"}'

  Stop with Ctrl-C.

`;
}
