// POST /v1/jobs: a video that is uploaded, or one that the server has, becomes a job.
import { basename, join } from "node:path";
import { createRoute, OpenAPIHono, type z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import type { Config } from "../../config.ts";
import type { Detector } from "../../model/detector.ts";
import { json, problems, readsJson, SECURED } from "../api/api-route.ts";
import { requireType } from "../api/body.ts";
import { checkLabels } from "../socket/client.ts";
import { allowedFile } from "../access/file-access.ts";
import { checkVideo, type CheckTools, expectedFrames } from "./check-video.ts";
import { optionsOf } from "./job-fields.ts";
import { type JobOptions, JobInfo, NewJob } from "./job-schemas.ts";
import { type Jobs, type NewRecord, UPLOAD } from "./jobs.ts";
import { receiveUpload, requireBoundary } from "./upload.ts";
import { type JobConfig, jobSettings } from "./job-settings.ts";

export type JobCreateConfig = JobConfig & Pick<Config, "fileRoots" | "jobMaxMb">;

export interface JobCreateDeps extends CheckTools {
  readonly jobs: Pick<Jobs, "create">;
  readonly detector: Pick<Detector, "info">;
  readonly config: JobCreateConfig;
  /** The folder of the model in use, or how `--model` names it. */
  readonly model: () => string;
}

const FORM = "multipart/form-data";

/** For /openapi.json alone: what is read of it goes to the disk, and not through a schema. */
const form = {
  type: "object" as const,
  required: ["file"],
  description: "The options as in JSON, one field each, before the file; lists with commas, or a field for each.",
  properties: {
    file: { type: "string" as const, format: "binary", description: "The video." },
    out: { type: "string" as const, description: "jsonl,coco" },
  },
};

const readsJsonOrParts: MiddlewareHandler = async (c, next) => {
  requireType(c.req.raw, [FORM, "application/json"]);
  const type = c.req.header("content-type");
  if (!isForm(type)) return readsJson()(c, next);
  requireBoundary(type);
  return next();
};

const route = createRoute({
  method: "post",
  path: "/v1/jobs",
  tags: ["Jobs"],
  summary: "Annotate a video",
  description:
    "In the background, at the lowest priority. The video is uploaded, or is a file that the server has: then its `path` is given in JSON.",
  security: SECURED,
  middleware: readsJsonOrParts,
  request: { body: { content: { [FORM]: { schema: form }, "application/json": { schema: NewJob } } } },
  responses: {
    202: json(
      JobInfo,
      "It is queued, or runs already where its turn has come. The header Location has its path, the WebSocket tells how it goes on.",
    ),
    ...problems(
      "BAD_REQUEST",
      "LABEL_UNKNOWN",
      "FILE_NOT_FOUND",
      "FILE_NOT_READABLE",
      "STREAM_EMPTY",
      "STREAM_NOT_VIDEO",
    ),
    ...problems("BODY_INCOMPLETE", "FILE_NOT_ALLOWED", "BODY_TOO_LARGE", "CONTENT_TYPE", "JOBS_FULL", "DISK_FULL"),
    ...problems("FOLDER_UNAVAILABLE"),
  },
});

export function jobCreateRoute(deps: JobCreateDeps): OpenAPIHono {
  const { jobs, detector, config } = deps;
  const checkOptions = (options: JobOptions): JobOptions => {
    checkLabels(options.labels, detector.info.labels);
    return options;
  };
  const recordOf = async (file: string, video: string, options: JobOptions): Promise<NewRecord> => {
    const info = await checkVideo(file, video, deps);
    const settings = jobSettings(config, detector.info, deps.model());
    return { video, options, settings, framesExpected: expectedFrames(info, options) };
  };
  return new OpenAPIHono().openapi(route, async (c) => {
    if (isForm(c.req.header("content-type"))) {
      const job = await jobs.create(async (folder) => {
        const place = join(folder, UPLOAD);
        const { name, fields } = await receiveUpload(c.req.raw, {
          folder: place,
          maxBytes: config.jobMaxMb * 1e6,
          onFile: (before) => void checkOptions(optionsOf(before)),
        });
        return recordOf(join(place, name), name, checkOptions(optionsOf(fields)));
      });
      c.header("Location", `/v1/jobs/${job.id}`);
      return c.json(job, 202);
    }
    const { path, ...options } = c.req.valid("json" as never) as z.infer<typeof NewJob>;
    checkOptions(options);
    const file = await allowedFile(path, config.fileRoots);
    const record = { ...(await recordOf(file, basename(file), options)), path: file };
    const job = await jobs.create(() => Promise.resolve(record));
    c.header("Location", `/v1/jobs/${job.id}`);
    return c.json(job, 202);
  });
}

function isForm(type: string | undefined): boolean {
  return type?.split(";", 1)[0]?.trim().toLowerCase() === FORM;
}
