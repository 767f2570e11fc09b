// Jobs over the WebSocket: told to those who watch, and to nobody whose token is limited to streams.
import { expect, test } from "vitest";
import type { JobEvent } from "../../../src/server/protocol.ts";
import { memoryStore } from "../../support/memory-store.ts";
import { createToken } from "../../../src/server/access/token-table.ts";
import { SocketClient } from "../../support/socket-client.ts";
import { withServer } from "../../support/test-server.ts";

const eventsOf = (client: SocketClient): JobEvent[] => client.messages.filter((message) => message.type === "job");

test("a client that watches jobs hears of every change and of the end of it, another does not", async () => {
  await withServer({}, async ({ socketUrl, url, jobs }) => {
    const [watching, other] = [await SocketClient.open(socketUrl), await SocketClient.open(socketUrl)];
    expect(await watching.ask({ type: "watch", topics: ["jobs"] })).toMatchObject({ ok: true });
    expect(await watching.ask({ type: "watch", topics: ["weather"] as never })).toMatchObject({ ok: false });
    jobs.open();
    const { id } = await jobs.create(() =>
      Promise.resolve({ video: "a.mp4", options: { out: ["csv"] }, settings: [] }),
    );
    await jobs.remove(id);
    await watching.until((message) => message.type === "job" && message.job === undefined);
    expect(eventsOf(watching).map(({ job }) => job?.state)).toEqual(["queued", "running", "cancelled", undefined]);
    expect(eventsOf(watching)[0]).toMatchObject({ id, job: { id, video: "a.mp4", options: { out: ["csv"] } } });
    await watching.ask({ type: "unwatch" });
    await jobs.create(() => Promise.resolve({ video: "b.mp4", options: { out: ["csv"] }, settings: [] }));
    expect(await (await fetch(`${url}metrics`)).text()).toMatch(/^multibox_jobs\{state="running"\} 1$/m);
    await watching.ask({ type: "ping" });
    await other.ask({ type: "ping" });
    expect([eventsOf(watching).length, eventsOf(other).length]).toEqual([4, 0]);
  });
});

test("a token that is limited to streams may not watch jobs", async () => {
  const store = memoryStore();
  const { token } = createToken(store.db, { name: "yard", scope: "write", streams: ["yard"] });
  await withServer({ deps: { store } }, async ({ socketUrl }) => {
    const client = await SocketClient.open(`${socketUrl}?token=${token}`);
    expect(await client.ask({ type: "watch", topics: ["jobs"] })).toMatchObject({ error: { code: "STREAMS_LIMITED" } });
  });
});
