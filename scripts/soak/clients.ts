// The clients of the soak: one that reads all, one with pictures, one that is slow, one that comes and goes; each counts what it misses.
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import type { ServerMessage } from "../../src/server/protocol.ts";
import type { Multibox } from "../../test/support/multibox.ts";
import type { Watch } from "./watch.ts";

export interface SoakClients {
  /** Messages with detections, by client. */
  readonly received: Readonly<Record<string, number>>;
  /** What the server said that clients missed. */
  readonly missed: Readonly<Record<string, number>>;
  close(): void;
}

export async function startClients(multibox: Multibox, draw: () => number, watch: Watch): Promise<SoakClients> {
  const received: Record<string, number> = {};
  const missed: Record<string, number> = {};
  const closing = new AbortController();
  const { signal } = closing;
  const sockets = new Set<WebSocket>();

  const connect = async (name: string, request: object = {}): Promise<WebSocket> => {
    const socket = new WebSocket(multibox.ready.detections);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", (error) => watch.expect(signal.aborted, `the client "${name}" failed: ${error.message}`));
    const next = new Map<string, number>();
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      const text = isBinary ? data.toString("utf8", 4, 4 + data.readUInt32BE(0)) : data.toString();
      const message = JSON.parse(text) as ServerMessage;
      if (message.type === "stream" && message.state === "removed") next.delete(message.stream);
      if (message.type !== "detections") return;
      const { stream, seq, dropped } = message;
      received[name] = (received[name] ?? 0) + 1;
      missed[name] = (missed[name] ?? 0) + dropped;
      const due = next.get(stream);
      const isRight = due === undefined || seq - due === dropped;
      watch.expect(isRight, `"${name}" got number ${seq} of ${stream} with ${dropped} dropped, and not ${due}`);
      next.set(stream, seq + 1);
    });
    await new Promise((resolve) => socket.once("open", resolve));
    socket.send(JSON.stringify({ id: 1, type: "subscribe", streams: ["*"], ...request }));
    return socket;
  };

  await connect("all");
  await connect("pictures", { pictures: 640 });
  const slow = await connect("slow", { pictures: 640 });
  const dawdle = async (): Promise<void> => {
    while (!signal.aborted) {
      slow.pause();
      await sleep(2000 + 8000 * draw());
      slow.resume();
      await sleep(1000);
    }
  };
  const comeAndGo = async (): Promise<void> => {
    while (!signal.aborted) {
      const socket = await connect("comes and goes");
      await sleep(1000 + 9000 * draw());
      if (draw() < 0.5) socket.close();
      else socket.terminate();
      await sleep(2000 * draw());
    }
  };
  void dawdle();
  void comeAndGo();
  return {
    received,
    missed,
    close: () => {
      closing.abort();
      for (const socket of sockets) socket.terminate();
    },
  };
}
