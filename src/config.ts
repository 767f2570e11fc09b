// Every setting of the server: its prose, its default, its limits. A file, the environment and flags fill it in, in that order.
import { z } from "zod";

export const Config = z.strictObject({
  host: z.string().default("127.0.0.1").describe("Address to listen on. Any but a loopback address needs a token."),
  port: z.coerce.number().int().min(0).max(65535).default(8080).describe("Port to listen on; 0 takes a free one."),
  token: z.string().min(16).optional().describe("Secret that clients must send, at least 16 characters."),
  model: z
    .string()
    .default("ssdlite-mobilenet-v2")
    .describe("A name that `multibox models list` shows, or the folder of a bundle."),
  engine: z.enum(["auto", "onnx:cpu"]).default("auto").describe("What runs the network."),
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
  minScore: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .describe("Detections below this score are not sent, whatever a client asks."),
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
  fileRoots: z
    .array(z.string())
    .default([])
    .describe("Folders whose files may be opened as streams over the API. None by default."),
  cacheDir: z
    .string()
    .optional()
    .describe("Where models and the demo clip are kept; the user's cache folder when absent."),
  logLevel: z
    .enum(["trace", "debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("How much is logged."),
});
export type Config = z.infer<typeof Config>;
