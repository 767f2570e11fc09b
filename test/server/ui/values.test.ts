// The small pure parts of the page: filter, streams, formats, routes, token, form, requests.
import { describe, expect, it } from "vitest";
import { NewStream, StreamPatch } from "../../../src/server/protocol.ts";
import { createApi, createCall } from "../../../src/server/ui/api.ts";
import { countLabels, findLabel, parseFilter, passing, SHOW_ALL } from "../../../src/server/ui/filter.ts";
import { formatCount, formatFps, latencyOf, secondsUntil } from "../../../src/server/ui/format.ts";
import { kindOf, newStreamOf } from "../../../src/server/ui/new-stream.ts";
import { parseRoute, routeHash, stepTo } from "../../../src/server/ui/route.ts";
import { changesIn, formOf } from "../../../src/server/ui/stream-changes.ts";
import { dropsOf, explainDrop, totalFps } from "../../../src/server/ui/streams.ts";
import { pictureWidth } from "../../../src/server/ui/subscription.ts";
import { loadToken, saveToken, socketUrl, splitToken } from "../../../src/server/ui/token.ts";
import { detections, streamInfo } from "./messages.ts";

const FOUND = [
  { label: "person", score: 0.5, classId: 1, bbox: [0, 0, 1, 1] as [number, number, number, number] },
  { label: "car", score: 0.9, classId: 3, bbox: [0, 0, 1, 1] as [number, number, number, number] },
  { label: "person", score: 0.3, classId: 1, bbox: [0, 0, 1, 1] as [number, number, number, number] },
];

describe("filter", () => {
  it("passes detections of at least the score and of the chosen labels", () => {
    expect(passing(FOUND, { minScore: 0.5, labels: [] }).map(({ score }) => score)).toEqual([0.5, 0.9]);
    expect(passing(FOUND, { minScore: 0, labels: ["person"] }).map(({ score }) => score)).toEqual([0.5, 0.3]);
  });

  it("counts labels in an order that does not change with the counts", () => {
    expect(countLabels(FOUND)).toEqual([
      ["car", 1],
      ["person", 2],
    ]);
  });

  it("finds the label that was typed in any case", () => {
    expect(findLabel(" Traffic Light ", ["car", "traffic light"])).toBe("traffic light");
    expect(findLabel("ca", ["car"])).toBeUndefined();
  });

  it("reads a stored filter, and takes the default for anything else", () => {
    expect(parseFilter('{"minScore":0.7,"labels":["car",3]}')).toEqual({ minScore: 0.7, labels: ["car"] });
    for (const text of [null, "", "{", "[]", '{"minScore":7,"labels":[]}', '{"minScore":0.5,"labels":"car"}']) {
      expect(parseFilter(text)).toEqual(SHOW_ALL);
    }
  });
});

describe("numbers", () => {
  it("writes rates, counts and waits for people", () => {
    expect([formatFps(undefined), formatFps(12.46)]).toEqual(["–", "12.5"]);
    expect(formatCount(1_234_567)).toBe("1,234,567");
    expect([secondsUntil(2500, 1000), secondsUntil(1000, 2500)]).toEqual([2, 0]);
  });

  it("takes the server's own part as the delay when the two clocks disagree", () => {
    const message = detections("yard", 1);
    const decoded = Date.parse(message.time);
    expect(latencyOf(message, decoded + 80)).toEqual({ ms: 80, whole: true });
    expect(latencyOf(message, decoded - 5000)).toEqual({ ms: 12, whole: false });
    expect(latencyOf(message, decoded + 3_600_000)).toEqual({ ms: 12, whole: false });
  });

  it("sums up drops by cause, the commonest first, and says what each means", () => {
    const counts = { decoded: 9, detected: 2, inFlight: 0, dropped: { closed: 2, superseded: 5, engine: 0 } };
    expect(dropsOf(streamInfo("yard", { counts }))).toEqual({
      total: 7,
      causes: [
        ["superseded", 5],
        ["closed", 2],
      ],
    });
    expect(explainDrop("superseded")).toContain("newer frame");
    expect(explainDrop("moonlight")).toBe("moonlight");
    expect(totalFps([streamInfo("a"), streamInfo("b"), { id: "c", state: "connecting", since: "" }])).toBe(25);
  });

  it("asks for pictures in steps of width", () => {
    expect([0, 320, 321, 1000, 5000].map(pictureWidth)).toEqual([320, 320, 480, 1280, 1920]);
  });
});

describe("addresses", () => {
  it("names a stream at full size in the hash, and only what can be a stream", () => {
    expect(parseRoute(routeHash("live", "cam-1"))).toEqual({ view: "live", item: "cam-1" });
    expect(parseRoute(routeHash("live"))).toEqual({ view: "live", item: undefined });
    expect(parseRoute(routeHash("captures"))).toEqual({ view: "captures", item: undefined });
    expect(parseRoute("#/live/../x").item).toBeUndefined();
    expect(parseRoute("#/nowhere/x")).toEqual({ view: "live", item: undefined });
  });

  it("steps over the grid with arrow keys and stays at its edges", () => {
    const step = (key: string, at: number): number | undefined => stepTo(key, at, 5, 3);
    expect([step("ArrowRight", 0), step("ArrowDown", 1), step("ArrowUp", 4), step("End", 0)]).toEqual([1, 4, 1, 4]);
    expect([step("ArrowLeft", 0), step("ArrowDown", 2), step("x", 0)]).toEqual([0, 2, undefined]);
  });

  it("takes the token out of the address bar, and sends a ticket to the WebSocket", () => {
    expect(splitToken("http://host:1/?a=1#token=s%26cret")).toEqual({ href: "http://host:1/?a=1", token: "s&cret" });
    const view = { href: "http://host:1/#/live/x", token: undefined };
    expect(splitToken(view.href)).toEqual(view);
    expect(socketUrl("https://host/sub/#/live/x", "T_1-")).toBe("wss://host/sub/v1/detections?ticket=T_1-");
    expect(socketUrl("http://host:1/", undefined)).toBe("ws://host:1/v1/detections");
  });

  it("keeps the token in the store it is given", () => {
    const kept = new Map<string, string>();
    const store = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (k: string, v: string) => void kept.set(k, v),
    };
    expect(loadToken(store)).toBeUndefined();
    saveToken(store, "secret");
    expect(loadToken(store)).toBe("secret");
  });
});

describe("changesIn", () => {
  const stream = streamInfo("yard", {
    url: "rtsp://host/1",
    settings: { loop: true, transport: "tcp", maxFps: 5, labels: ["car", "person"] },
  });
  const changed = (change: Record<string, string>): StreamPatch => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ ...formOf(stream), ...change })) form.set(name, value);
    return StreamPatch.parse(changesIn(form, formOf(stream)));
  };

  it("holds nothing where nothing was changed, so that the address keeps the password that is not shown", () => {
    expect(changed({})).toEqual({});
    expect(changed({ priority: " 3 " })).toEqual({ priority: 3 });
  });

  it("takes back what was emptied", () => {
    expect(changed({ maxFps: "", labels: " " })).toEqual({ maxFps: null, labels: null });
    expect(changed({ url: "rtsp://u:p@host/1", labels: "dog,traffic light, ", minScore: "0.4" })).toEqual({
      url: "rtsp://u:p@host/1",
      labels: ["dog", "traffic light"],
      minScore: 0.4,
    });
  });
});

describe("newStreamOf", () => {
  it("makes the request that the server takes", () => {
    const form = new FormData();
    for (const [name, value] of Object.entries({ id: " yard ", url: " rtsp://x/1 ", transport: "udp" }))
      form.set(name, value);
    expect(NewStream.parse(newStreamOf(form))).toEqual({ id: "yard", url: "rtsp://x/1", loop: true, transport: "udp" });
    const file = new FormData();
    file.set("id", "clip");
    file.set("url", "/videos/clip.mp4");
    expect(newStreamOf(file).loop).toBe(false);
    file.set("loop", "on");
    expect(newStreamOf(file).loop).toBe(true);
  });

  it("shows the options that an address has", () => {
    expect(["rtsp://x", "RTSPS://x", "http://x", "clip.mp4", " "].map(kindOf)).toEqual([
      "rtsp",
      "rtsp",
      "other",
      "file",
      "other",
    ]);
  });
});

describe("createApi", () => {
  const asked: { url: string; init: RequestInit | undefined }[] = [];
  const api = (answer: () => Promise<Response>): ReturnType<typeof createApi> =>
    createApi(
      createCall(
        "http://host/sub/",
        () => "secret",
        (url, init) => {
          asked.push({ url: url instanceof URL ? url.href : "", init });
          return answer();
        },
      ),
    );

  it("sends the token as a header and reads the list", async () => {
    const list = await api(() => Promise.resolve(Response.json([streamInfo("yard")]))).list();
    expect(list).toEqual([streamInfo("yard")]);
    expect(asked.at(-1)).toMatchObject({
      url: "http://host/sub/v1/streams",
      init: { headers: { authorization: "Bearer secret" } },
    });
  });

  it("turns a refusal into its sentence and hint", async () => {
    const problem = { code: "STREAM_UNKNOWN", detail: 'There is no stream "x".', hint: "Look." };
    const removed = api(() => Promise.resolve(Response.json(problem, { status: 404 }))).remove("x");
    await expect(removed).rejects.toMatchObject({ status: 404, message: problem.detail, hint: "Look." });
  });

  it("says so when the answer is no problem of ours, or does not come", async () => {
    const proxy = api(() => Promise.resolve(new Response("Bad gateway", { status: 502 }))).list();
    await expect(proxy).rejects.toThrow("The server answered with status 502.");
    await expect(api(() => Promise.reject(new TypeError("failed"))).list()).rejects.toThrow("did not answer");
  });
});
