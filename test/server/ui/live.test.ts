// The page's state: how messages change it, and what it asks of the server.
import { describe, expect, it } from "vitest";
import { ApiError, type Api } from "../../../src/server/ui/api.ts";
import type { Connection, ConnectionEvents } from "../../../src/server/ui/connection.ts";
import { SHOW_ALL } from "../../../src/server/ui/filter.ts";
import { Live } from "../../../src/server/ui/live.ts";
import { ClientMessage, type StreamInfo } from "../../../src/server/protocol.ts";
import { detections, hello, streamInfo } from "./messages.ts";

interface Setup {
  readonly live: Live<{ close: () => void }>;
  readonly events: ConnectionEvents;
  readonly sent: ClientMessage[];
  readonly api: { answer: () => Promise<StreamInfo[]> };
  readonly calls: string[];
}

function setUp(): Setup {
  const sent: ClientMessage[] = [];
  const calls: string[] = [];
  const api = { answer: () => Promise.resolve([streamInfo("yard")]) };
  let events: ConnectionEvents | undefined;
  const connection = {
    connect: () => calls.push("connect"),
    rest: () => calls.push("rest"),
    // What the page sends must be what the server takes.
    send: (message: ClientMessage) => sent.push(ClientMessage.parse(message)),
  };
  const live = new Live<{ close: () => void }>({
    api: { list: () => api.answer() } as Api,
    connect: (given) => {
      events = given;
      return connection as unknown as Connection;
    },
    player: {
      decode: () => Promise.resolve({ close: () => calls.push("bitmap closed") }),
      schedule: () => undefined,
      now: () => 0,
    },
    filter: SHOW_ALL,
  });
  return { live, events: events!, sent, api, calls };
}

function opened(...streams: string[]): Setup {
  const setup = setUp();
  setup.events.phase({ name: "open" });
  setup.events.message(hello(streams.map((id) => streamInfo(id))));
  return setup;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("Live", () => {
  it("subscribes to all streams after hello, with pictures as wide as the widest tile", () => {
    const { live, sent } = opened("yard", "gate");
    expect(sent).toMatchObject([{ type: "unsubscribe" }, { type: "subscribe", streams: ["*"], pictures: 320 }]);
    live.setWidth("yard", 600);
    live.setWidth("gate", 620);
    expect(sent.slice(2)).toMatchObject([{ type: "unsubscribe" }, { type: "subscribe", pictures: 640 }]);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(4);
  });

  it("asks for one stream at full size, for nothing while frozen or out of sight, and again after a reconnect", () => {
    const { live, events, sent } = opened("yard", "gate");
    const last = (): unknown => sent.at(-1);
    live.setOnly("gate");
    expect(last()).toMatchObject({ type: "subscribe", streams: ["gate"] });
    live.setFrozen(true);
    expect(last()).toMatchObject({ type: "unsubscribe" });
    live.setFrozen(false);
    live.setHidden(true);
    expect(last()).toMatchObject({ type: "unsubscribe" });
    live.setHidden(false);
    expect(last()).toMatchObject({ type: "subscribe", streams: ["gate"] });
    sent.length = 0;
    events.phase({ name: "open" });
    events.message(hello([streamInfo("gate")]));
    expect(last()).toMatchObject({ type: "subscribe", streams: ["gate"] });
  });

  it("follows the streams: new ones, changes of state with their errors, removals", async () => {
    const { live, events, api, calls } = opened("yard");
    api.answer = () => Promise.reject(new ApiError(0, "not now"));
    const since = "2026-01-01T00:00:01.000Z";
    const error = { code: "STREAM_AUTH_FAILED", message: "Wrong password.", hint: "Check it." };
    events.message({ type: "stream", stream: "gate", state: "connecting", since });
    events.message({ type: "stream", stream: "yard", state: "misconfigured", since, error });
    expect(live.state.value.streams).toMatchObject([
      { id: "yard", state: "misconfigured", error, url: "/videos/yard.mp4" },
      { id: "gate", state: "connecting" },
    ]);
    events.picture({ detections: detections("yard", 1), jpeg: new Uint8Array(2) });
    await settled();
    events.message({ type: "stream", stream: "yard", state: "removed", since });
    expect(live.state.value.streams.map(({ id }) => id)).toEqual(["gate"]);
    expect(calls).toEqual(["bitmap closed"]);
  });

  it("does not believe a list that was asked for before the newest event", async () => {
    const { live, events, api } = opened("yard", "gate");
    let answer: ((streams: StreamInfo[]) => void) | undefined;
    api.answer = () => new Promise((resolve) => (answer = resolve));
    const refreshed = live.refresh();
    events.message({ type: "stream", stream: "gate", state: "removed", since: "2026-01-01T00:00:01.000Z" });
    answer!([streamInfo("yard"), streamInfo("gate")]);
    await refreshed;
    expect(live.state.value.streams.map(({ id }) => id)).toEqual(["yard"]);
  });

  it("finds out by HTTP that a token is needed, and does not try again without", async () => {
    const { live, events, api, calls } = setUp();
    api.answer = () => Promise.reject(new ApiError(401, "This needs the server's token."));
    events.phase({ name: "waiting", retryAt: 1 });
    await settled();
    expect(live.state.value.needsToken).toBe(true);
    expect(calls).toEqual(["rest"]);
    events.phase({ name: "open" });
    events.message(hello([]));
    expect(live.state.value.needsToken).toBe(false);
  });

  it("shows the server's sentence when it refuses a request", () => {
    const { live, events } = opened("yard");
    const error = { code: "BAD_MESSAGE", message: "That was wrong.", hint: "Do it right." };
    events.message({ type: "result", id: 1, ok: false, error });
    expect(live.state.value.notice).toBe("That was wrong. Do it right.");
    live.dismissNotice();
    expect(live.state.value.notice).toBe("");
  });

  it("keeps the picture while frozen, whatever still comes", async () => {
    const { live, events } = opened("yard");
    events.picture({ detections: detections("yard", 1), jpeg: new Uint8Array(2) });
    await settled();
    live.setFrozen(true);
    events.picture({ detections: detections("yard", 2), jpeg: new Uint8Array(2) });
    await settled();
    expect(live.player("yard").shown?.detections.seq).toBe(1);
  });
});
