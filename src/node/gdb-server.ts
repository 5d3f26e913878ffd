/** gdb's door: one TCP connection at a time. */

import { createServer, type Socket } from 'node:net';

/** Where to listen. */
export interface GdbAddress {
  readonly host: string;
  readonly port: number;
}

/** What a connection is given to. */
export interface GdbPeer {
  readonly receive: (bytes: Uint8Array) => void;
  /** the connection is gone */
  readonly closed: () => void;
}

export interface GdbServer {
  /** "127.0.0.1:1234", the port that was really taken */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Listens, and gives each connection to `connect`, with the way to answer and to hang up. While one is open others are turned away.
 * Rejects with the reason of the operating system when the port cannot be had.
 */
export async function listenForGdb(
  { host, port }: GdbAddress,
  connect: (send: (bytes: Uint8Array) => void, hangUp: () => void) => GdbPeer,
): Promise<GdbServer> {
  let current: Socket | undefined;
  const server = createServer({ noDelay: true }, (socket) => {
    if (current !== undefined) {
      socket.destroy();
      return;
    }
    current = socket;
    const peer = connect(
      (bytes) => void socket.write(bytes),
      () => void socket.end(),
    );
    socket.on('data', (bytes) => peer.receive(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      current = undefined;
      peer.closed();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const bound = server.address();
  const boundPort = typeof bound === 'object' && bound !== null ? bound.port : port;
  return {
    address: `${host.includes(':') ? `[${host}]` : host}:${boundPort}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        current?.end();
      }),
  };
}
