// Annotation jobs as HTTP and the WebSocket tell of them, and what may be asked of one.
import { z } from "zod";
import { ErrorBody } from "../api/error-body.ts";
import { plainText } from "../plain-text.ts";

/** Forms that a video's annotations can have, as `multibox annotate --out` names them. */
export const FORMS = [
  "jsonl",
  "coco",
  "coco-results",
  "voc",
  "yolo",
  "csv",
  "mot",
  "cvat",
  "label-studio",
  "label-studio-video",
  "vtt",
  "srt",
  "ass",
  "video",
  "soft-video",
] as const;

const Form = z.enum(FORMS);

/** Some 31 years: longer than any video, and as ffmpeg writes numbers. */
const MOST_SECONDS = 1e9;
const MOST_FRAMES = 1e9;

/** As `multibox annotate` has them. */
const options = {
  out: z
    .array(Form)
    .min(1)
    .max(FORMS.length)
    .refine((forms) => new Set(forms).size === forms.length, "names a form twice")
    .default(["jsonl"])
    .describe("The forms that are wanted."),
  every: z.int().min(1).max(MOST_FRAMES).optional().describe("Only every nth frame."),
  fps: z.number().min(1e-6).max(1000).optional().describe("The most frames a second of the video that are looked at."),
  start: z.number().nonnegative().max(MOST_SECONDS).optional().describe("Leave out what comes before, in seconds."),
  end: z.number().min(0.001).max(MOST_SECONDS).optional().describe("Leave out what comes from then on, in seconds."),
  keyframes: z.boolean().optional().describe("Only key frames: a quick look."),
  minScore: z.number().min(0).max(1).optional().describe("Leave out detections below; the server's own when absent."),
  labels: z.array(plainText(64)).min(1).max(1000).optional().describe("Only these; all when absent."),
  codec: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_]{0,31}$/, "must be an encoder as ffmpeg names it")
    .optional()
    .describe("Encoder of the boxed video, as ffmpeg names it."),
  crf: z.number().min(0).max(63).optional().describe("Its quality: lower is better and larger."),
  preset: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, "must be a preset as the encoder names it")
    .optional()
    .describe("How hard it tries, as the encoder names it."),
};

export const JobOptions = z.strictObject(options);
export type JobOptions = z.infer<typeof JobOptions>;

const isOrdered = ({ start = 0, end = Infinity }: { start?: number | undefined; end?: number | undefined }): boolean =>
  start < end;
const unordered = { path: ["end"], error: "must come after start" };

/** The fields of an upload. */
export const UploadOptions = JobOptions.refine(isOrdered, unordered);

/** `POST /v1/jobs` in JSON, of a file that the server has. */
export const NewJob = z
  .strictObject({
    path: plainText(4096).describe("A video under one of the folders of the setting fileRoots."),
    ...options,
  })
  .refine(isOrdered, unordered);

export const JobState = z.enum(["queued", "running", "done", "failed", "cancelled"]);
export type JobState = z.infer<typeof JobState>;

export const JobProgress = z.strictObject({
  phase: z.enum(["starting", "detecting", "writing"]).describe("writing: the forms that are made of the detections."),
  form: Form.optional().describe("The one that is being written."),
  frames: z.int().describe("Detected so far, before a restart too."),
  framesExpected: z.int().optional().describe("About how many there will be, by what the video says of itself."),
  framesPerSecond: z.number().optional(),
  percent: z.int().optional().describe("Of the phase."),
  secondsLeft: z.int().optional().describe("Of the phase."),
});
export type JobProgress = z.infer<typeof JobProgress>;

export const JobResult = z.strictObject({
  name: z.string().describe("Of the file, as /v1/jobs/{id}/results/{name} takes it."),
  form: Form,
  bytes: z.int(),
  files: z.int().optional().describe("How many are in it, where a form is a folder: then it is a tar of that."),
});
export type JobResult = z.infer<typeof JobResult>;

export const JobWarning = ErrorBody.omit({ hint: true });
export type JobWarning = z.infer<typeof JobWarning>;

export const JobInfo = z
  .strictObject({
    id: z.string(),
    video: z.string().describe("The name of its file."),
    path: z.string().optional().describe("Where it lies on the server; absent for an upload."),
    state: JobState,
    options: JobOptions.describe("As they were asked for."),
    created: z.string().describe("ISO 8601, as are the other times."),
    started: z.string().optional().describe("For the first time, where a restart came between."),
    ended: z.string().optional(),
    progress: JobProgress.optional().describe("While it runs."),
    frames: z.int().optional().describe("That were looked at, once it is done."),
    detections: z.int().optional().describe("That were found, once it is done."),
    warnings: z.array(JobWarning).optional().describe("What is to be known of the results: damage in the video."),
    error: ErrorBody.optional().describe("Why it failed."),
    results: z.array(JobResult).describe("What there is to download."),
  })
  .meta({ id: "Job" });
export type JobInfo = z.infer<typeof JobInfo>;

export const JobList = z.strictObject({
  jobs: z.array(JobInfo).describe("Newest first."),
  total: z.int().describe("How many match the query, on all pages."),
  next: z.string().optional().describe("The cursor of the next page; absent on the last."),
});
export type JobList = z.infer<typeof JobList>;
