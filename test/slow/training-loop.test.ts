// From a camera to a better model and back: captured by rule, corrected, learnt from, judged, brought into use while the stream runs, taken back.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { demoClip } from "../../src/demo-clip.ts";
import type { CaptureInfo, CaptureList } from "../../src/server/captures/capture-schemas.ts";
import type { InUse, ModelInfo } from "../../src/server/models/model-schemas.ts";
import type { Detections, StreamInfo } from "../../src/server/protocol.ts";
import type { TrainingDetail, TrainingInfo } from "../../src/server/trainings/training-schemas.ts";
import { DEFAULT_MODEL, testCacheDir } from "../support/model.ts";
import { gapOf, type Multibox, startMultibox } from "../support/multibox.ts";
import { processesWith, until } from "../support/processes.ts";
import { startRtspServer } from "../support/rtsp-server.ts";
import type { SocketClient } from "../support/socket-client.ts";

const CAPTURES = 16;
/** No model has it by itself: where it is known, what was corrected has been learnt from. */
const NEW_LABEL = "hatchback";
/** Small enough for a busy machine: a quarter of the captures validates, and the others are three batches. */
const SETTINGS = { batch: 3, validationShare: 0.25, labels: "all", variants: 1, threads: 1, lr: 0.02, warmUp: 4 };

test("what a camera shows is learnt from, and the model changes under a running stream, which loses no frame", async () => {
  const camera = await startRtspServer({ paths: { "/cars": { file: await demoClip(testCacheDir()) } } });
  const dataDir = await mkdtemp(join(tmpdir(), "multibox-loop-"));
  const start = (): Promise<Multibox> => startMultibox(["--no-demo"], { MULTIBOX_DATA_DIR: dataDir });
  let multibox: Multibox | undefined;
  try {
    multibox = await start();
    const fetched = multibox.ready.model.version;
    // What is trained is counted on from what the fetched model calls itself.
    const [made, next] = [Number(fetched) + 1, Number(fetched) + 2];
    const client = await multibox.connect("*");
    await client.ask({ type: "watch", topics: ["trainings"] });
    const capture = { score: { from: 0.4, to: 1 }, minGapSeconds: 0.2, skipSimilar: 10 };
    await post(multibox, "/v1/streams", { id: "cam", url: camera.url("/cars"), maxFps: 8, labels: ["car"], capture });
    await correct(multibox, await captured(multibox));

    const first = await post<TrainingInfo>(multibox, "/v1/trainings", { settings: { ...SETTINGS, epochs: 7 } });
    expect(first).toMatchObject({ captures: CAPTURES, from: `${DEFAULT_MODEL}@0` });
    const told = await endTold(client, first.id);
    expect(told).toMatchObject({ state: "done", version: made, offered: false });
    // A handful of captures says too little of it, so that it is only taken where that is asked for.
    expect(told.verdict).toMatchObject({ outcome: "not judged", images: told.pictures!.validation });
    const refused = await send(multibox, `/v1/models/${DEFAULT_MODEL}/versions/${made}/activate`, {}, "POST");
    expect([refused.status, await refused.json()]).toMatchObject([409, { code: "VERSION_NOT_OFFERED" }]);
    expect(told.labels).toEqual(expect.arrayContaining(["car", NEW_LABEL]));
    const steps = client.messages.flatMap((m) => (m.type === "training" ? (m.training?.progress?.steps ?? []) : []));
    expect(steps.at(-1)).toBeGreaterThanOrEqual(20);
    await expectJudged(multibox, told);
    // It is not brought into use by itself.
    expect(versionsOf(client)).toEqual([fetched]);

    await activate(multibox, made);
    await seenBy(client, `${made}`, NEW_LABEL);
    expect(await post<InUse>(multibox, `/v1/models/${DEFAULT_MODEL}/rollback`)).toEqual({
      version: 0,
      previous: made,
      warnings: [expect.stringContaining(NEW_LABEL)],
    });
    await seenBy(client, fetched, "car");

    // Once more, in the midst of a training, which goes on with what it began with.
    const second = await post<TrainingInfo>(multibox, "/v1/trainings", { settings: { ...SETTINGS, epochs: 40 } });
    await trainingOnce(multibox, second.id, ({ progress }) => (progress?.epoch ?? 0) >= 2);
    await activate(multibox, made);
    await seenBy(client, `${made}`, NEW_LABEL);
    expect(versionsOf(client)).toEqual([fetched, `${made}`, fetched, `${made}`]);
    await expectWholeBooks(multibox, client);
    const before = await trainingOnce(multibox, second.id, () => true);
    expect(before).toMatchObject({ state: "running", from: `${DEFAULT_MODEL}@0` });
    expect(processesWith(dataDir)).not.toEqual([]);

    await multibox.stop("SIGKILL");
    await until(() => processesWith(dataDir).length === 0);
    multibox = await start();
    const later = await multibox.connect("*");
    await later.ask({ type: "watch", topics: ["trainings"] });
    await post(multibox, "/v1/streams/cam/resume");
    // Which version is in use is kept, and no number of a frame comes again.
    await seenBy(later, `${made}`, NEW_LABEL);
    expect(later.detections()[0]!.seq).toBeGreaterThan(client.detections().at(-1)!.seq);
    const done = await trainingOnce(multibox, second.id, isOver);
    expect(done).toMatchObject({ state: "done", version: next, from: `${DEFAULT_MODEL}@0` });
    expect(done.history.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 41 }, (_, epoch) => epoch));
    // Epochs before the kill are not done again, but for the last, whose checkpoint may not have been written.
    const resumed = later.messages.flatMap((m) => (m.type === "training" ? (m.training?.progress?.step ?? []) : []));
    expect(resumed[0]).toBeGreaterThanOrEqual((before.history.length - 2) * (before.progress!.steps! / 40));
    await expectJudged(multibox, done);
    expect(versionsOf(later)).toEqual([`${made}`]);
    await expectWholeBooks(multibox, later);
    expect((await multibox.stop()).code).toBe(0);
    expect(processesWith(dataDir)).toEqual([]);
  } finally {
    await multibox?.stop("SIGKILL");
    await camera.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});

/** The first that the rule has kept, when there are enough; then the rule is taken back. */
async function captured(multibox: Multibox): Promise<CaptureInfo[]> {
  let captures: CaptureInfo[] = [];
  while (captures.length < CAPTURES) {
    await sleep(100);
    ({ captures } = await get<CaptureList>(multibox, "/v1/captures?stream=cam&limit=1000"));
  }
  await post(multibox, "/v1/streams/cam", { capture: null, labels: null }, "PATCH");
  const kept = captures.slice(0, CAPTURES);
  for (const { reason, model } of kept) expect([reason, model]).toEqual(["score", multibox.ready.model]);
  return kept;
}

/** Each car becomes what the model does not know yet, and one of them is smaller than was proposed; then all are accepted. */
async function correct(multibox: Multibox, captures: readonly CaptureInfo[]): Promise<void> {
  for (const [i, { id, objects, proposed }] of captures.entries()) {
    const changed = objects.map(({ bbox: [x, y, width, height] }, j) => {
      const [dx, dy] = i + j === 0 ? [width / 16, height / 16] : [0, 0];
      return { bbox: [x + dx, y + dy, width - 2 * dx, height - 2 * dy], label: NEW_LABEL };
    });
    const change = { objects: changed, status: "accepted" };
    expect(await post(multibox, `/v1/captures/${id}`, change, "PATCH")).toMatchObject({ ...change, proposed });
    expect(await get<CaptureInfo>(multibox, `/v1/captures/${id}`)).toMatchObject(change);
  }
  expect(await get<CaptureList>(multibox, "/v1/captures?status=accepted")).toMatchObject({ total: CAPTURES });
}

/** How the training ended, as the WebSocket tells it. */
async function endTold(client: SocketClient, id: string): Promise<TrainingInfo> {
  const isEnd = (training?: TrainingInfo): boolean => training !== undefined && isOver(training);
  const event = await client.until((m) => m.type === "training" && m.id === id && isEnd(m.training));
  return (event as unknown as { training: TrainingInfo }).training;
}

const isOver = ({ state }: TrainingInfo): boolean => state !== "queued" && state !== "running";

async function trainingOnce(
  multibox: Multibox,
  id: string,
  isSo: (training: TrainingDetail) => boolean,
): Promise<TrainingDetail> {
  for (;;) {
    const training = await get<TrainingDetail>(multibox, `/v1/trainings/${id}`);
    if (isSo(training)) return training;
    if (isOver(training)) throw new Error(`The training has ended before: ${JSON.stringify(training)}`);
    await sleep(100);
  }
}

/** The version has the figures that the training was told with, those of what it began with, which knew no such label, and a report. */
async function expectJudged(multibox: Multibox, training: TrainingInfo): Promise<void> {
  const { version, metrics, parentMetrics, pictures, split } = training;
  expect(split).toEqual({ by: "time", ...pictures, gap: 1, streams: 1 });
  expect(pictures!.training + pictures!.validation + 1).toBe(CAPTURES);
  const { versions } = await get<ModelInfo>(multibox, `/v1/models/${DEFAULT_MODEL}`);
  const data = { pictures: pictures!.training };
  const made = versions.find((one) => one.version === version);
  expect(made).toMatchObject({ metrics, parentMetrics, verdict: training.verdict, parent: DEFAULT_MODEL, data });
  expect(made!.labels).toContain(NEW_LABEL);
  // Its cars are where the new label's objects are, and stand for them.
  expect(made!.settings["like"]).toEqual({ [NEW_LABEL]: "car" });
  expect(parentMetrics!["AP"]).toBeGreaterThan(0);
  expect(metrics!["AP"]).toBeGreaterThanOrEqual(parentMetrics!["AP"]!);
  const report = await multibox.ask(`/v1/trainings/${training.id}/report`);
  expect([report.status, await report.text()]).toEqual([200, expect.stringContaining("<svg")]);
}

async function activate(multibox: Multibox, version: number): Promise<void> {
  const path = `/v1/models/${DEFAULT_MODEL}/versions/${version}/activate`;
  expect(await post<InUse>(multibox, path, { force: true })).toEqual({ version, previous: 0, warnings: [] });
}

/** From now on ten frames are told with this version, and it sees this in one of them. */
async function seenBy(client: SocketClient, version: string, label: string): Promise<void> {
  const from = client.detections().length;
  const own = (): Detections[] =>
    client
      .detections()
      .slice(from)
      .filter(({ model }) => model.version === version);
  await until(
    () => own().length >= 10 && own().some(({ detections }) => detections.some((one) => one.label === label)),
  );
}

/** That made the messages, each once as long as it did. */
function versionsOf(client: SocketClient): string[] {
  const versions = client.detections().map(({ model }) => model.version);
  return versions.filter((version, i) => version !== versions[i - 1]);
}

/** Pauses the stream. Every frame was detected, or dropped for a cause that is none of the detector's, and told once, or its loss was. */
async function expectWholeBooks(multibox: Multibox, client: SocketClient): Promise<void> {
  expect(gapOf(await get<StreamInfo>(multibox, "/v1/streams/cam"))).toBe(0);
  await post(multibox, "/v1/streams/cam/pause");
  const { counts } = await multibox.streamOnce(
    "cam",
    ({ state, counts: { inFlight } }) => state === "paused" && inFlight === 0,
  );
  expect(gapOf({ counts })).toBe(0);
  expect(counts.dropped["engine"] ?? 0).toBe(0);
  // The client was there before the first frame. Numbers go on over a restart, counts do not.
  const first = client.detections("cam")[0]!.seq;
  await until(() => client.detections("cam").at(-1)!.seq >= first + counts.detected - 1);
  const told = client.detections("cam");
  let expected = first;
  for (const { seq, dropped } of told) {
    expect(seq).toBe(expected + dropped);
    expected = seq + 1;
  }
  expect(expected).toBe(first + counts.detected);
}

async function get<T>(multibox: Multibox, path: string): Promise<T> {
  return (await (await multibox.ask(path)).json()) as T;
}

function send(multibox: Multibox, path: string, body: object, method = "POST"): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return multibox.ask(path, { method, headers, body: JSON.stringify(body) });
}

/** Fails with what the server said where it refuses. */
async function post<T = unknown>(multibox: Multibox, path: string, body: object = {}, method = "POST"): Promise<T> {
  const answer = await send(multibox, path, body, method);
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}
