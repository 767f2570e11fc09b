// WebSocket clients over real sockets: greeting, requests good and bad, filters, heartbeats.
import { VirtualTimeScheduler } from "rxjs";
import { describe, expect, test } from "vitest";
import { MultiboxError } from "../../../src/errors.ts";
import type { Hello } from "../../../src/server/protocol.ts";
import { found } from "../../support/scripted-pipeline.ts";
import { SocketClient } from "../../support/socket-client.ts";
import { withServer } from "../../support/test-server.ts";

describe("greeting and events", () => {
  test("a client is greeted with what there is, without passwords, and hears of every change", async () => {
    await withServer({}, async ({ socketUrl, pipeline }) => {
      pipeline.addStream("cam1", "rtsp://admin:hunter22@10.0.0.9/ch1");
      const client = await SocketClient.open(socketUrl);
      const hello = await client.until<Hello>(({ type }) => type === "hello");
      expect(client.messages[0]).toBe(hello);
      expect(hello).toMatchObject({
        protocol: 1,
        server: { name: "multibox", version: "1.2.3" },
        model: { name: "red-finder", version: "1" },
        labels: ["red", "grey"],
        streams: [{ id: "cam1", url: "rtsp://10.0.0.9/ch1", state: "connecting" }],
      });
      pipeline.setStatus("cam1", {
        state: "retrying",
        error: new MultiboxError("STREAM_LOST", "rtsp://admin:hunter22@10.0.0.9/ch1 ended"),
      });
      pipeline.addStream("cam2");
      await pipeline.remove("cam2");
      await client.until((message) => message.type === "stream" && message.state === "removed");
      const [retrying, connecting, removed] = client.messages.slice(1);
      expect(retrying).toMatchObject({ stream: "cam1", state: "retrying", error: { code: "STREAM_LOST" } });
      expect(connecting).toMatchObject({ stream: "cam2", state: "connecting" });
      expect(removed).toMatchObject({ stream: "cam2", state: "removed" });
      expect(JSON.stringify(client.messages)).not.toContain("hunter22");
    });
  });
});

describe("subscriptions", () => {
  test("only what was asked for comes, as it was found, also when nothing was", async () => {
    await withServer({}, async ({ socketUrl, pipeline }) => {
      for (const id of ["a", "b"]) pipeline.addStream(id);
      const client = await SocketClient.open(socketUrl);
      pipeline.show("a");
      expect(await client.ask({ type: "subscribe", streams: ["a"] })).toMatchObject({ ok: true });
      pipeline.show("b", [found("red", 0.9)]);
      pipeline.show("a", [found("red", 0.9), found("grey", 0.31), found("grey", 0.29)]);
      pipeline.show("a");
      await client.untilSeq(2, "a");
      expect(client.detections()).toMatchObject([
        {
          stream: "a",
          seq: 1,
          pts: 0.04,
          time: "2023-11-14T22:13:20.040Z",
          width: 320,
          height: 180,
          model: { name: "scripted", version: "1" },
          timing: { queueMs: 1, inferMs: 10, totalMs: 12.35 },
          detections: [
            { label: "red", score: 0.9, classId: 1, bbox: [10, 20, 30.5, 40.25] },
            // 0.29 is below the server's own minimum.
            { label: "grey", score: 0.31 },
          ],
          dropped: 0,
        },
        { seq: 2, detections: [], dropped: 0 },
      ]);
    });
  });

  test("labels and scores filter, each client for itself, and a new request replaces the old", async () => {
    await withServer({ config: { minScore: 0.2 } }, async ({ socketUrl, pipeline }) => {
      pipeline.addStream("a");
      const [one, two] = await Promise.all([SocketClient.open(socketUrl), SocketClient.open(socketUrl)]);
      await one.ask({ type: "subscribe", streams: ["a"], labels: ["red"], minScore: 0.6 });
      await two.ask({ type: "subscribe", streams: ["*"], minScore: 0 });
      const detections = [found("red", 0.9), found("red", 0.5), found("grey", 0.7), found("grey", 0.1)];
      const scores = async (client: SocketClient, seq: number): Promise<number[]> =>
        (await client.untilSeq(seq)).detections.map(({ score }) => score);
      pipeline.show("a", detections);
      expect(await scores(one, 0)).toEqual([0.9]);
      expect(await scores(two, 0)).toEqual([0.9, 0.5, 0.7]);
      await one.ask({ type: "subscribe", streams: ["a"], labels: ["grey"] });
      pipeline.show("a", detections);
      expect(await scores(one, 1)).toEqual([0.7]);
    });
  });

  test('"*" means later streams as well, one can be taken out, and all can be ended', async () => {
    await withServer({}, async ({ socketUrl, pipeline }) => {
      const client = await SocketClient.open(socketUrl);
      await client.ask({ type: "subscribe", streams: ["*"] });
      for (const id of ["a", "b"]) pipeline.addStream(id);
      const showAll = (): void => ["a", "b"].forEach((id) => pipeline.show(id));
      showAll();
      await client.ask({ type: "unsubscribe", streams: ["a"] });
      showAll();
      await client.ask({ type: "unsubscribe" });
      showAll();
      await client.ask({ type: "subscribe", streams: ["b", "a"] });
      showAll();
      await client.untilSeq(3, "b");
      expect(client.detections().map(({ stream, seq }) => `${stream}${seq}`)).toEqual(["a0", "b0", "b1", "a3", "b3"]);
    });
  });

  test("a subscription ends with its stream; one added later by the same name is another", async () => {
    await withServer({}, async ({ socketUrl, pipeline }) => {
      for (const id of ["a", "b"]) pipeline.addStream(id);
      const client = await SocketClient.open(socketUrl);
      await client.ask({ type: "subscribe", streams: ["a", "b"] });
      await pipeline.remove("a");
      pipeline.addStream("a");
      for (const id of ["a", "b"]) pipeline.show(id);
      await client.untilSeq(0, "b");
      expect(client.detections("a")).toEqual([]);
    });
  });
});

describe("bad requests are answered, and everything goes on", () => {
  test.each<[name: string, message: string | Buffer, id: number | string | null, code: string, text: RegExp]>([
    ["no JSON", "subscribe!", null, "BAD_MESSAGE", /not JSON/],
    ["null", "null", null, "BAD_MESSAGE", /message cannot be null/],
    ["an array", "[]", null, "BAD_MESSAGE", /message cannot be \[\]/],
    ["an unknown type", '{"id":4,"type":"play"}', 4, "BAD_MESSAGE", /"type" cannot be "play"/],
    [
      "an unknown field",
      '{"id":"x","type":"subscribe","streams":["*"],"minscore":0.5}',
      "x",
      "BAD_MESSAGE",
      /"minscore" is not a known field/,
    ],
    [
      "a bad value",
      '{"id":5,"type":"subscribe","streams":["*"],"minScore":7}',
      5,
      "BAD_MESSAGE",
      /"minScore" cannot be 7: .*<=1/,
    ],
    [
      "a bad stream id",
      '{"id":5,"type":"subscribe","streams":["*","a/b"]}',
      5,
      "BAD_MESSAGE",
      /"streams\[1\]" cannot be "a\/b": .*1 to 64 letters/,
    ],
    ["no streams", '{"id":5,"type":"subscribe"}', 5, "BAD_MESSAGE", /"streams" is missing/],
    ["a bad id", '{"id":{},"type":"unsubscribe"}', null, "BAD_MESSAGE", /"id" cannot be \{\}/],
    [
      "an unknown stream",
      '{"id":5,"type":"subscribe","streams":["cam","cma"]}',
      5,
      "STREAM_UNKNOWN",
      /no stream "cma"/,
    ],
    [
      "an unknown label",
      '{"id":5,"type":"subscribe","streams":["*"],"labels":["car"]}',
      5,
      "LABEL_UNKNOWN",
      /no label "car"/,
    ],
    ["a binary message", Buffer.from('{"id":5,"type":"unsubscribe"}'), 5, "BAD_MESSAGE", /binary/],
    ["1 MB of text", `{"id":5,"type":"${"x".repeat(1_048_576)}"}`, null, "BAD_MESSAGE", /1048594 bytes.* 65536/],
  ])("%s", async (_name, message, id, code, text) => {
    await withServer({}, async ({ socketUrl, pipeline }) => {
      pipeline.addStream("cam");
      const [client, other] = await Promise.all([SocketClient.open(socketUrl), SocketClient.open(socketUrl)]);
      await client.ask({ type: "subscribe", streams: ["cam"] });
      await other.ask({ type: "subscribe", streams: ["cam"] });
      const result = await client.sendRaw(message);
      expect(result).toMatchObject({ id, ok: false, error: { code, hint: expect.stringMatching(/./) } });
      expect(result.error?.message).toMatch(text);
      pipeline.show("cam");
      await Promise.all([client.untilSeq(0), other.untilSeq(0)]);
    });
  });

  test("the hint lists what there is: fields, streams", async () => {
    await withServer({}, async ({ socketUrl, pipeline }) => {
      for (const id of ["cam", "yard"]) pipeline.addStream(id);
      const client = await SocketClient.open(socketUrl);
      const unknown = await client.ask({ type: "subscribe", streams: ["yrad"] });
      expect(unknown.error?.hint).toBe('There are: cam, yard. "*" means all, now and later.');
      const field = await client.ask({ type: "unsubscribe", stream: "cam" });
      expect(field.error?.hint).toBe("The fields of unsubscribe are: id, type, streams.");
    });
  });

  test("who sends too many is told so, served again after a while, and closed with 1008 who goes on", async () => {
    const clock = new VirtualTimeScheduler();
    await withServer({ deps: { clock } }, async ({ socketUrl }) => {
      const client = await SocketClient.open(socketUrl);
      const ping = async (): Promise<string> => {
        const { ok, error } = await client.ask({ type: "ping" });
        return ok ? "ok" : error!.code;
      };
      const pings = async (count: number): Promise<string[]> => {
        const all: string[] = [];
        for (let i = 0; i < count; i += 1) all.push(await ping());
        return all;
      };
      expect(await pings(101)).toEqual([...Array<string>(100).fill("ok"), "TOO_MANY_REQUESTS"]);
      // One is owed, and a second brings twenty.
      clock.frame += 1000;
      expect(await pings(20)).toEqual([...Array<string>(19).fill("ok"), "TOO_MANY_REQUESTS"]);
      for (let i = 0; i < 120; i += 1) client.socket.send('{"id":0,"type":"ping"}');
      expect(await client.closed).toEqual({ code: 1008, reason: "You send too many requests." });
      expect(client.messages.filter((m) => m.type === "result" && !m.ok)).toHaveLength(101);
    });
  });

  test("a message beyond all measure ends its own connection with 1009, and no other", async () => {
    await withServer({}, async ({ socketUrl, pipeline }) => {
      pipeline.addStream("cam");
      const [client, other] = await Promise.all([SocketClient.open(socketUrl), SocketClient.open(socketUrl)]);
      await other.ask({ type: "subscribe", streams: ["cam"] });
      client.socket.on("error", () => undefined);
      client.socket.send("x".repeat(5 * 1_048_576));
      expect(await client.closed).toMatchObject({ code: 1009 });
      pipeline.show("cam");
      await other.untilSeq(0);
    });
  });
});

describe("messages in parts", () => {
  test("are read, and end their connection where there are too many", async () => {
    await withServer({}, async ({ socketUrl }) => {
      const client = await SocketClient.open(socketUrl);
      const parts = JSON.stringify({ id: "parts", type: "ping" }).split("");
      for (const [i, part] of parts.entries()) client.socket.send(part, { fin: i === parts.length - 1 });
      await client.until((message) => message.type === "result" && message.id === "parts" && message.ok);
      for (let i = 0; i < 100; i++) client.socket.send("x", { fin: false });
      expect(await client.closed).toMatchObject({ code: 1008 });
    });
  });

  test("that are not finished end it after a while, though pings are answered", async () => {
    const clock = new VirtualTimeScheduler();
    await withServer({ deps: { clock } }, async ({ socketUrl }) => {
      const [stuck, well] = [await SocketClient.open(socketUrl), await SocketClient.open(socketUrl)];
      for (const client of [stuck, well]) expect((await client.ask({ type: "ping" })).ok).toBe(true);
      stuck.socket.send('{"id":', { fin: false });
      for (let beat = 1; beat <= 4; beat++) {
        for (const { socket, closed } of [stuck, well]) {
          if (socket.readyState !== socket.OPEN) continue;
          const answered = new Promise((resolve) => socket.once("pong", resolve));
          socket.ping("alive");
          await Promise.race([answered, closed]);
        }
        clock.maxFrames = beat * 30_000;
        clock.flush();
      }
      expect(await stuck.closed).toMatchObject({ code: 1008, reason: "A message was begun and not finished." });
      expect((await well.ask({ type: "ping" })).ok).toBe(true);
      well.socket.terminate();
    });
  });
});

describe("heartbeats", () => {
  test("who answers stays, who does not is cut off", async () => {
    const clock = new VirtualTimeScheduler();
    await withServer({ deps: { clock } }, async ({ socketUrl }) => {
      const live = await SocketClient.open(socketUrl);
      const dead = await SocketClient.open(socketUrl, { autoPong: false });
      const beat = async (count: number): Promise<void> => {
        const pinged = new Promise((resolve) => live.socket.once("ping", resolve));
        clock.maxFrames = count * 30_000;
        clock.flush();
        await pinged;
        // A round trip, so that the pong before it has arrived.
        await live.ask({ type: "unsubscribe" });
      };
      await beat(1);
      await beat(2);
      expect(await dead.closed).toMatchObject({ code: 1006 });
      await beat(3);
    });
  });
});
