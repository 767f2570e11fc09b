// A failure as messages and bodies tell of it.
import { z } from "zod";

export const ErrorBody = z.strictObject({
  code: z.string().describe("For programs: STREAM_AUTH_FAILED."),
  message: z.string().describe("For people, with the offending value."),
  hint: z.string().describe("What to do; may be empty."),
});
export type ErrorBody = z.infer<typeof ErrorBody>;
