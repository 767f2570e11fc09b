// A job as it is kept in multibox.db.
import { z } from "zod";
import { ErrorBody } from "../api/error-body.ts";
import { JobOptions, JobResult, JobState, JobWarning } from "./job-schemas.ts";

const Milliseconds = z.number().describe("Since the epoch.");

export const JobRecord = z.object({
  id: z.string(),
  video: z.string().describe("The file's name; an upload lies under it in the job's folder."),
  path: z.string().optional().describe("Absolute; absent for an upload."),
  options: JobOptions,
  settings: z
    .array(z.string())
    .describe(
      "Arguments for the model and the engine as they were when the job was made, so that it goes on as it began.",
    ),
  framesExpected: z.int().optional(),
  state: JobState,
  created: Milliseconds,
  started: Milliseconds.optional(),
  ended: Milliseconds.optional(),
  frames: z.int().optional(),
  detections: z.int().optional(),
  warnings: z.array(JobWarning).optional(),
  error: ErrorBody.optional(),
  results: z.array(JobResult),
});
export type JobRecord = z.infer<typeof JobRecord>;
