// What goes over the wire: every message and body as a zod schema, and the types that follow. The page imports only types.
import { z } from "zod";
import { SCOPES } from "./access/caller.ts";
import { ErrorBody } from "./api/error-body.ts";
import { JobInfo } from "./jobs/job-schemas.ts";
import { plainText } from "./plain-text.ts";
import { streamSettings } from "./streams/stream-settings.ts";
import { TrainingInfo } from "./trainings/training-schemas.ts";
import { recordOf } from "../record-of.ts";

export const PROTOCOL_VERSION = 1;

/** Stream ids appear in paths, labels and file names. */
export const StreamId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
    "must be 1 to 64 letters, digits, '-' or '_', beginning with a letter or digit",
  );

export const Model = z.strictObject({ name: z.string(), version: z.string() }).meta({ id: "Model" });
export type Model = z.infer<typeof Model>;

const Detection = z.strictObject({
  bbox: z
    .tuple([z.number(), z.number(), z.number(), z.number()])
    .describe("[x, y, width, height] in pixels of the source picture"),
  score: z.number().min(0).max(1),
  label: z.string(),
  classId: z.int(),
});

export const StreamState = z.enum(["connecting", "live", "stalled", "retrying", "misconfigured", "ended", "paused"]);
export type StreamState = z.infer<typeof StreamState>;

const Quantiles = z.strictObject({ p50: z.number(), p95: z.number(), p99: z.number() });

const source = {
  loop: z.boolean().describe("Files only. true: played in real time, over and over; false: every frame, once."),
  transport: z.enum(["tcp", "udp"]).describe("RTSP only."),
};
const url = plainText(2048).describe("rtsp://, rtsps://, http://, https://, or the path of a video file.");

export const StreamInfo = z.strictObject({
  id: StreamId,
  url: z.string().describe("Without user name and password, and with *** for secrets in its query or path."),
  state: StreamState,
  since: z.string().describe("When the state began, ISO 8601."),
  error: ErrorBody.optional().describe("The last failure; absent while all is well."),
  warnings: z
    .array(ErrorBody)
    .optional()
    .describe(
      "What does not keep it from running: a label of its settings that its model does not have, or an ffmpeg too old for network streams.",
    ),
  width: z.int().optional(),
  height: z.int().optional(),
  fps: z.strictObject({ decoded: z.number(), detected: z.number() }).describe("Frames a second over the last seconds."),
  latency: z
    .strictObject({ queueMs: Quantiles, inferMs: Quantiles, totalMs: Quantiles })
    .optional()
    .describe(
      "Of the frames detected in the last half to whole minute, as in their timing; absent where there were none.",
    ),
  counts: z
    .strictObject({
      decoded: z.int(),
      detected: z.int(),
      inFlight: z.int(),
      dropped: recordOf(z.string(), z.int()).describe("By cause."),
    })
    .describe("decoded = detected + inFlight + the sum of dropped, at every moment."),
  settings: z.strictObject({ ...source, ...streamSettings }).describe("As they were given, but for the URL."),
});
export type StreamInfo = z.infer<typeof StreamInfo>;

export const NewStream = z.strictObject({
  id: StreamId,
  url,
  loop: source.loop.default(true),
  transport: source.transport.default("tcp"),
  ...streamSettings,
});
export type NewStream = z.infer<typeof NewStream>;

/** `PATCH /v1/streams/{id}`. As JSON merge patches are: what is absent stays as it is, null takes a setting back. */
export const StreamPatch = z.strictObject({ url, ...source, ...nullable(streamSettings) }).partial();
export type StreamPatch = z.infer<typeof StreamPatch>;

function nullable<Shape extends Record<string, z.ZodOptional>>(
  shape: Shape,
): { [Name in keyof Shape]: z.ZodNullable<Shape[Name]> } {
  return Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, schema.nullable()])) as never;
}

const requestId = z.union([z.int(), z.string().max(128)]).describe("Comes back in the result.");

export const Subscribe = z.strictObject({
  id: requestId,
  type: z.literal("subscribe"),
  streams: z
    .array(z.union([z.literal("*"), StreamId]))
    .min(1)
    .max(256)
    .describe('Stream ids, or "*" for all, now and later.'),
  labels: z.array(z.string().max(64)).min(1).max(1000).optional().describe("Only these labels; all when absent."),
  minScore: z.number().min(0).max(1).optional().describe("Only detections with at least this score."),
  pictures: z
    .int()
    .min(64)
    .max(1920)
    .optional()
    .describe("Send each frame's own JPEG, at most this wide, with its detections, as one binary message."),
  maxFps: z
    .number()
    .min(0.01)
    .max(240)
    .optional()
    .describe("The most frames a second of each stream; the others are left out, and not counted as dropped."),
  changesOnly: z
    .boolean()
    .optional()
    .describe("Only frames on which something else is, or stands elsewhere, than on the last one that was sent."),
  newestOnly: z
    .boolean()
    .optional()
    .describe("When the client is behind, only the newest frame of each stream waits for it."),
  since: z
    .union([z.int().min(-1), recordOf(StreamId, z.int().min(-1))])
    .optional()
    .describe("The last seq that was received, of the one stream or by stream: what came after it is sent first."),
});
export type Subscribe = z.infer<typeof Subscribe>;

export const Unsubscribe = z.strictObject({
  id: requestId,
  type: z.literal("unsubscribe"),
  streams: z
    .array(z.union([z.literal("*"), StreamId]))
    .min(1)
    .max(256)
    .optional()
    .describe("All subscriptions when absent."),
});
export type Unsubscribe = z.infer<typeof Unsubscribe>;

export const Topic = z.enum(["jobs", "trainings"]);
export type Topic = z.infer<typeof Topic>;

const topics = z.array(Topic).min(1).max(16);

export const Watch = z.strictObject({
  id: requestId,
  type: z.literal("watch"),
  topics: topics.describe("What to hear of besides streams, from now on."),
});

export const Unwatch = z.strictObject({
  id: requestId,
  type: z.literal("unwatch"),
  topics: topics.optional().describe("All when absent."),
});

export const Ping = z.strictObject({ id: requestId, type: z.literal("ping") });
export type Ping = z.infer<typeof Ping>;

export const ClientMessage = z.discriminatedUnion("type", [Subscribe, Unsubscribe, Watch, Unwatch, Ping]);
export type ClientMessage = z.infer<typeof ClientMessage>;

export const Hello = z.strictObject({
  type: z.literal("hello"),
  protocol: z.literal(PROTOCOL_VERSION),
  server: z.strictObject({ name: z.literal("multibox"), version: z.string() }),
  model: Model,
  labels: z.array(z.string()),
  scope: z.enum(SCOPES).describe("What the token allows, each including those before it: read, write, admin."),
  streams: z.array(StreamInfo),
});
export type Hello = z.infer<typeof Hello>;

export const Result = z.strictObject({
  id: requestId.nullable().describe("The request's; null when the request was too broken to have one."),
  type: z.literal("result"),
  ok: z.boolean(),
  error: ErrorBody.optional(),
  replay: recordOf(StreamId, z.int())
    .optional()
    .describe(
      "For since: the seq that the replay of a stream begins with. Streams of which nothing is replayed are not in it.",
    ),
});
export type Result = z.infer<typeof Result>;

/**
 * The detections of one frame. As a text message; or, for `pictures`, a binary one: the length of this JSON in bytes
 * as an unsigned 32-bit big-endian number, this JSON in UTF-8, the frame as a JPEG.
 */
export const Detections = z.strictObject({
  type: z.literal("detections"),
  stream: StreamId,
  seq: z.int().describe("Rises by one with each detected frame of the stream."),
  pts: z.number().describe("The frame's presentation time in its source, in seconds."),
  time: z.string().describe("When the frame was decoded, ISO 8601."),
  width: z.int().describe("Of the picture that bbox refers to."),
  height: z.int(),
  model: Model,
  timing: z.strictObject({ queueMs: z.number(), inferMs: z.number(), totalMs: z.number() }),
  detections: z.array(Detection),
  dropped: z.int().describe("How many messages of this stream this client has missed since the last one, being slow."),
});
export type Detections = z.infer<typeof Detections>;

export const StreamEvent = z.strictObject({
  type: z.literal("stream"),
  stream: StreamId,
  state: z.union([StreamState, z.literal("removed")]),
  since: z.string(),
  error: ErrorBody.optional(),
});
export type StreamEvent = z.infer<typeof StreamEvent>;

export const JobEvent = z.strictObject({
  type: z.literal("job"),
  id: z.string(),
  job: JobInfo.optional().describe("How it is now; absent when it was deleted."),
});
export type JobEvent = z.infer<typeof JobEvent>;

export const TrainingEvent = z.strictObject({
  type: z.literal("training"),
  id: z.string(),
  training: TrainingInfo.optional().describe("How it is now; absent when it was deleted."),
});
export type TrainingEvent = z.infer<typeof TrainingEvent>;

export const ServerMessage = z.discriminatedUnion("type", [
  Hello,
  Result,
  Detections,
  StreamEvent,
  JobEvent,
  TrainingEvent,
]);
export type ServerMessage = z.infer<typeof ServerMessage>;

/** `POST /v1/detect`: the detections of one picture. */
export const DetectAnswer = z.strictObject({
  width: z.int(),
  height: z.int(),
  model: Model,
  timing: z.strictObject({ inferMs: z.number(), totalMs: z.number() }),
  detections: z.array(Detection),
});
export type DetectAnswer = z.infer<typeof DetectAnswer>;

/** `POST /v1/tickets`. */
export const TicketAnswer = z.strictObject({
  ticket: z.string().describe("Good for one request, as ?ticket= of a WebSocket or a picture."),
  expires: z.string().describe("When it is no longer good, ISO 8601."),
});
export type TicketAnswer = z.infer<typeof TicketAnswer>;
