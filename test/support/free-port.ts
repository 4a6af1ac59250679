import net from 'node:net';

/** A TCP port of 127.0.0.1 that was free a moment ago: for what has to know its own address before it listens. */
export const freePort = () =>
  new Promise<number>((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
