// Every setting of the server: its prose, its default, its limits. load-config.ts fills it in.
import { z } from "zod";
import { ENGINE_NAMES } from "./model/engines/open.ts";
import type { PostProcessSpec } from "./model/spec.ts";
import { schemeOf } from "./pipeline/stream.ts";
import type { CaptureBounds } from "./server/captures/capture-store.ts";
import { Network } from "./server/access/client-address.ts";
import type { WorkLimits } from "./server/background/work-kind.ts";
import { plainText } from "./server/plain-text.ts";
import { NewStream } from "./server/protocol.ts";
import { Origin } from "./server/access/source-check.ts";

export const Config = z.strictObject({
  host: plainText(1024)
    .default("127.0.0.1")
    .describe("Address to listen on. Any but a loopback address needs a token."),
  port: z.coerce.number().int().min(0).max(65535).default(8080).describe("Port to listen on; 0 takes a free one."),
  token: z.string().min(16).optional().describe("Secret that clients must send, at least 16 characters."),
  allowedOrigins: z
    .array(Origin)
    .default([])
    .describe("Origins of other pages that may ask through a browser, such as https://cameras.example."),
  trustedProxies: z
    .array(Network)
    .default([])
    .describe("Addresses or networks of reverse proxies whose X-Forwarded-For is believed."),
  maxConnections: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(4096)
    .describe("Most connections that are open at once; fewer where the limit on open files has no room for them."),
  maxConnectionsPerAddress: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(1024)
    .describe("Most of them from one address; those of trustedProxies do not count."),
  model: plainText(4096)
    .default("ssdlite-mobilenet-v2")
    .describe("A name that `multibox models list` shows, or the folder of a bundle."),
  engine: z.enum(ENGINE_NAMES).default("auto").describe("What runs the network."),
  precision: z
    .enum(["auto", "fp32", "int8"])
    .default("auto")
    .describe(
      "Arithmetic of the network; auto: int8 where the CPU is made for it and the model has ranges, else fp32.",
    ),
  workers: z.coerce
    .number()
    .int()
    .min(0)
    .max(64)
    .default(0)
    .describe("0: one session on all cores. N: N sessions of one thread each."),
  maxBatch: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .default(8)
    .describe("Most frames that go through the network at once."),
  maxDelayMs: z.coerce
    .number()
    .min(0)
    .max(1000)
    .default(10)
    .describe("Longest wait for a batch to fill, from its oldest frame."),
  maxAgeMs: z.coerce
    .number()
    .min(0)
    .max(60_000)
    .default(1000)
    .describe("A live frame that has waited longer is dropped, unless a batch takes longer than that."),
  maxModels: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe("Most models that are open at once for streams that name their own, the server's among them."),
  engineTimeoutSeconds: z.coerce
    .number()
    .min(1)
    .max(3600)
    .default(60)
    .describe("A batch that takes the network longer fails, and the network is started again."),
  minScore: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe("Detections below this score are not sent, whatever a client asks."),
  iouThreshold: z.coerce
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("A box that overlaps a better one of its class by more is dropped; the model's own when absent."),
  maxDetections: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .describe("Most detections of a picture; the model's own when absent."),
  nms: z
    .enum(["hard", "soft"])
    .optional()
    .describe("hard drops overlapping boxes, soft lowers their scores (Soft-NMS); the model's own when absent."),
  classAgnostic: z
    .union([z.boolean(), z.stringbool()], { error: "it must be true or false" })
    .optional()
    .describe("Let boxes drop those of other classes too; the model's own when absent."),
  maxDecodeWidth: z.coerce
    .number()
    .int()
    .min(64)
    .max(8192)
    .default(1920)
    .describe("Wider pictures are scaled down to this width."),
  stallSeconds: z.coerce
    .number()
    .min(1)
    .max(600)
    .default(10)
    .describe("A live stream without a frame for so long is restarted."),
  streams: z
    .array(NewStream)
    .superRefine((streams, context) => {
      const ids = streams.map(({ id }) => id);
      const again = ids.findIndex((id, i) => ids.indexOf(id) < i);
      if (again >= 0) context.addIssue({ code: "custom", path: [again, "id"], message: "another stream has this id" });
      const odd = streams.findIndex(({ url }) => schemeOf(url) === undefined);
      const message = "only rtsp, rtsps, http, https and paths of files can be streams";
      if (odd >= 0) context.addIssue({ code: "custom", path: [odd, "url"], message });
    })
    .default([])
    .describe("Streams to start with; the demo when there are none."),
  fileRoots: z
    .array(plainText(4096))
    .default([])
    .describe("Folders whose files may be opened as streams over the API. None by default."),
  forbidPrivateAddresses: z
    .union([z.boolean(), z.stringbool()], { error: "it must be true or false" })
    .default(false)
    .describe("Refuse URLs over the API that lead to private, loopback or link-local addresses."),
  cacheDir: plainText(4096)
    .optional()
    .describe("Where models and the demo clip are kept; the user's cache folder when absent."),
  dataDir: plainText(4096)
    .optional()
    .describe("Where the server keeps what it must remember; the user's data folder when absent."),
  captureMaxCount: z.coerce.number().int().min(1).default(5000).describe("Most captured frames that are kept."),
  captureMaxMb: z.coerce.number().min(1).default(2000).describe("Most megabytes of captured frames."),
  captureMaxDays: z.coerce
    .number()
    .min(0)
    .default(30)
    .describe("Captured frames that nobody has accepted are deleted after this number of days."),
  jobMaxRunning: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe("Most annotation jobs that run at once, each on one core and at the lowest priority; others wait."),
  jobMaxMb: z.coerce.number().min(1).default(4000).describe("Most megabytes of a video that is uploaded for a job."),
  jobMaxCount: z.coerce
    .number()
    .int()
    .min(1)
    .default(200)
    .describe("Most jobs that are kept; the oldest that have ended go first, with their results."),
  jobMaxDays: z.coerce
    .number()
    .min(0)
    .default(7)
    .describe("Jobs that have ended are deleted after this number of days."),
  trainingMaxCount: z.coerce
    .number()
    .int()
    .min(1)
    .default(50)
    .describe("Most trainings that are kept, the oldest that have ended go first; one runs at a time, others wait."),
  historyHours: z.coerce
    .number()
    .min(0)
    .max(87_600)
    .default(24)
    .describe("How long detections are kept; 0 keeps none, and then clients cannot ask for what they missed."),
  historyMaxMb: z.coerce
    .number()
    .int()
    .min(1)
    .default(500)
    .describe("Most space for the kept detections, in MiB; the oldest go first."),
  logLevel: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("How much is logged."),
  logFormat: z
    .enum(["auto", "json", "pretty"])
    .default("auto")
    .describe("JSON lines, or lines for people; auto: for people on a terminal, else JSON."),
});
export type Config = z.infer<typeof Config>;

/** How much is kept of frames to learn from. */
export function captureBoundsOf({ captureMaxCount, captureMaxMb }: Config): CaptureBounds {
  return { maxCount: captureMaxCount, maxBytes: captureMaxMb * 1e6 };
}

/** How many jobs run, and how many are kept. */
export function jobLimitsOf({ jobMaxRunning, jobMaxCount }: Config): WorkLimits {
  return { maxRunning: jobMaxRunning, maxCount: jobMaxCount };
}

/** One at a time: it takes what cores are free, and memory by the gigabyte. */
export function trainingLimitsOf({ trainingMaxCount }: Config): WorkLimits {
  return { maxRunning: 1, maxCount: trainingMaxCount };
}

/** What the settings say of post-processing, but for the lowest score; what they leave out is as the model has it. */
export function postProcessOf(config: Config): Partial<PostProcessSpec> {
  const { iouThreshold, maxDetections, nms: suppression, classAgnostic } = config;
  return { iouThreshold, maxDetections, suppression, classAgnostic };
}
