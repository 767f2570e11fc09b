// A server that is asked to stop takes leave of its clients, keeps what it has told, and leaves nothing behind.
import { join } from "node:path";
import Database from "libsql";
import { expect, it } from "vitest";
import { historyPath } from "../../src/server/history/history-port.ts";
import { makeFolder } from "../support/ffmpeg.ts";
import { startMultibox } from "../support/multibox.ts";
import { childrenOf, isRunning, until } from "../support/processes.ts";
import { SocketClient } from "../support/socket-client.ts";

it.skipIf(process.platform !== "linux")(
  "ends well with a client that never answers; every frame that it told of is in the history (needs /proc)",
  async () => {
    const folder = await makeFolder();
    const dataDir = join(folder.path, "data");
    const multibox = await startMultibox([], { MULTIBOX_DATA_DIR: dataDir });
    let mute: SocketClient | undefined;
    try {
      // It subscribes, and from then on neither reads nor answers.
      mute = await SocketClient.open(multibox.ready.detections);
      await mute.ask({ type: "subscribe", streams: ["*"] });
      mute.socket.pause();
      const client = await multibox.connect("demo");
      const first = await client.until((m) => m.type === "detections");
      if (first.type === "detections") await client.untilSeq(first.seq + 10);
      const children = childrenOf(multibox.pid);
      expect(children.length).toBeGreaterThan(0);

      // After 10 s the server would end itself, with 1.
      expect(await multibox.stop()).toMatchObject({ code: 0, signal: null });
      expect(await client.closed).toEqual({ code: 1001, reason: "The server is stopping." });
      await until(() => !children.some(isRunning));

      const told = client.detections("demo").map(({ seq }) => seq);
      const kept = keptSeqs(historyPath(dataDir), "demo");
      expect(told.filter((seq) => !kept.has(seq))).toEqual([]);
    } finally {
      mute?.socket.terminate();
      await multibox.stop("SIGKILL");
      await folder.remove();
    }
  },
);

function keptSeqs(path: string, stream: string): Set<number> {
  const db = new Database(path, { readonly: true });
  try {
    const sql = "SELECT seq FROM frames JOIN streams ON streams.id = frames.stream WHERE streams.name = ?";
    return new Set((db.prepare(sql).all(stream) as { seq: number }[]).map(({ seq }) => seq));
  } finally {
    db.close();
  }
}
