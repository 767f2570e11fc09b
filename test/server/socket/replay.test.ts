// A client that went and came back with `since` has every frame once, whenever it went and wherever the frames were meanwhile.
import { setImmediate as turn, setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ResumingClient } from "../../../examples/resuming-client.ts";
import type { Detections } from "../../../src/server/protocol.ts";
import { openCutRelay } from "../../support/cut-relay.ts";
import { found } from "../../support/scripted-pipeline.ts";
import { SocketClient } from "../../support/socket-client.ts";
import { withServer } from "../../support/test-server.ts";
import { fc } from "../../support/fast-check.ts";

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const seqsOf = (client: SocketClient, stream: string): number[] => client.detections(stream).map(({ seq }) => seq);

/** Frames come, the connection breaks, the event loop gets so many turns. */
type Step = { readonly show: number; readonly stream: "a" | "b" } | "cut" | { readonly turns: number };

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ show: fc.integer({ min: 1, max: 90 }), stream: fc.constantFrom("a", "b") }) },
    { weight: 2, arbitrary: fc.constant("cut" as const) },
    { weight: 3, arbitrary: fc.record({ turns: fc.integer({ min: 1, max: 12 }) }) },
  ),
  { minLength: 4, maxLength: 24 },
) as fc.Arbitrary<Step[]>;

describe("after any cuts", () => {
  test("a client that resumes has every number once, in order, with nothing dropped", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (script) => {
        await withServer({ history: true }, async ({ port, pipeline }) => {
          const relay = await openCutRelay(port);
          for (const id of ["a", "b"]) pipeline.addStream(id);
          const got = new Map<string, Detections[]>([
            ["a", []],
            ["b", []],
          ]);
          const client = new ResumingClient(
            { url: `ws://127.0.0.1:${relay.port}/v1/detections`, wanted: { streams: ["*"] }, firstRetryMs: 1 },
            { onFrame: (frame) => got.get(frame.stream)!.push(frame) },
          );
          try {
            // The first frames are what it resumes from.
            await until(
              () => (pipeline.show("a"), pipeline.show("b"), got.get("a")!.length > 0 && got.get("b")!.length > 0),
            );
            for (const step of script) {
              if (step === "cut") relay.cut();
              else if ("turns" in step) for (let i = 0; i < step.turns; i++) await turn();
              else for (let i = 0; i < step.show; i++) pipeline.show(step.stream, [found("red", 0.9)]);
            }
            for (const [id, frames] of got) {
              const { detected } = pipeline.counts(id);
              await until(() => frames.at(-1)!.seq === detected - 1);
              const first = frames[0]!.seq;
              expect(frames.map(({ seq }) => seq)).toEqual(upTo(detected - first).map((i) => first + i));
              expect(frames.filter(({ dropped }) => dropped > 0)).toEqual([]);
            }
          } finally {
            client.close();
            relay.close();
          }
        });
      }),
      { numRuns: 15, endOnFailure: true },
    );
  });
});

describe("since", () => {
  test("brings what came after it, from the disk and from memory, as it was sent the first time, then goes on live", async () => {
    await withServer({ history: true }, async ({ socketUrl, pipeline }) => {
      pipeline.addStream("a");
      const live = await SocketClient.open(socketUrl);
      await live.ask({ type: "subscribe", streams: ["a"] });
      // 256 make a batch; the others wait in memory.
      for (let i = 0; i < 300; i++) pipeline.show("a", [found("red", 0.5 + i / 1000)]);
      const client = await SocketClient.open(socketUrl);
      const result = await client.ask({ type: "subscribe", streams: ["a"], since: 99 });
      expect(result).toMatchObject({ ok: true, replay: { a: 100 } });
      pipeline.show("a");
      await Promise.all([client.untilSeq(300), live.untilSeq(300)]);
      expect(client.detections("a")).toEqual(live.detections("a").slice(100));
    });
  });

  test("of one stream among others replays that alone; a stream that comes later too", async () => {
    await withServer({ history: true }, async ({ socketUrl, pipeline }) => {
      for (const id of ["a", "b"]) pipeline.addStream(id);
      for (const id of ["a", "b"]) for (let i = 0; i < 5; i++) pipeline.show(id);
      const client = await SocketClient.open(socketUrl);
      const since = { a: 1, later: 0 };
      expect(await client.ask({ type: "subscribe", streams: ["*"], since })).toMatchObject({ replay: { a: 2 } });
      pipeline.addStream("later");
      for (const id of ["a", "b", "later", "later"]) pipeline.show(id);
      await Promise.all([client.untilSeq(5, "a"), client.untilSeq(5, "b"), client.untilSeq(1, "later")]);
      expect([seqsOf(client, "a"), seqsOf(client, "b"), seqsOf(client, "later")]).toEqual([[2, 3, 4, 5], [5], [1]]);
    });
  });

  test("of what is no longer there says from where, and counts the rest as dropped", async () => {
    await withServer({ history: true }, async ({ socketUrl, pipeline, history }) => {
      pipeline.addStream("a");
      for (let i = 0; i < 300; i++) pipeline.show("a");
      await until(() => history.status().kept === 256);
      const client = await SocketClient.open(socketUrl);
      const nothing = await client.ask({ type: "subscribe", streams: ["a"], since: 10_000 });
      expect(nothing).toEqual({ id: 1, type: "result", ok: true, replay: {} });
    });
    // Without a history everything is gone.
    await withServer({}, async ({ socketUrl, pipeline }) => {
      pipeline.addStream("a");
      for (let i = 0; i < 5; i++) pipeline.show("a");
      const client = await SocketClient.open(socketUrl);
      expect(await client.ask({ type: "subscribe", streams: ["a"], since: 1 })).toMatchObject({ ok: true, replay: {} });
      for (let i = 0; i < 2; i++) pipeline.show("a");
      await client.untilSeq(6);
      expect(client.detections("a").map(({ seq, dropped }) => [seq, dropped])).toEqual([
        [5, 3],
        [6, 0],
      ]);
    });
  });

  test("that cannot be is refused", async () => {
    await withServer({ history: true }, async ({ socketUrl, pipeline }) => {
      for (const id of ["a", "b"]) pipeline.addStream(id);
      const client = await SocketClient.open(socketUrl);
      const refused = async (request: object): Promise<string | undefined> =>
        (await client.ask({ type: "subscribe", ...request })).error?.message;
      expect(await refused({ streams: ["*"], since: 3 })).toMatch(/cannot be one number for several streams/);
      expect(await refused({ streams: ["a", "b"], since: 3 })).toMatch(/cannot be one number for several streams/);
      expect(await refused({ streams: ["a"], since: { b: 3 } })).toMatch(/"since" names the stream "b"/);
      expect(await refused({ streams: ["a"], since: 1.5 })).toMatch(/"since" cannot be 1.5/);
    });
  });

  test("answers requests in order, those too that come while it looks", async () => {
    await withServer({ history: true }, async ({ socketUrl, pipeline }) => {
      pipeline.addStream("a");
      for (let i = 0; i < 3; i++) pipeline.show("a");
      const client = await SocketClient.open(socketUrl);
      const asked = [{ type: "subscribe", streams: ["a"], since: -1 }, { type: "unsubscribe" }, { type: "ping" }];
      await Promise.all(asked.map((request) => client.ask(request)));
      expect(client.messages.filter(({ type }) => type === "result").map((m) => "id" in m && m.id)).toEqual([1, 2, 3]);
    });
  });
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await wait(2);
}
