// A TCP relay whose connections a test cuts, with whatever is on its way in them.
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface CutRelay {
  readonly port: number;
  /** Ends all connections at once; new ones are taken. */
  cut(): void;
  close(): void;
}

export async function openCutRelay(target: number): Promise<CutRelay> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    close: () => {
      server.close();
      cut();
    },
  };
}
