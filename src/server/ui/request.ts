// A request to the server from a form: whether it is under way, and in which words it failed.
import { useState } from "preact/hooks";
import { ApiError } from "./api.ts";

export interface FormRequest {
  readonly busy: boolean;
  /** Sentences for people; empty while nothing failed. */
  readonly problem: string;
  /** Calls back after success. */
  readonly run: (request: () => Promise<void>, done: () => void) => void;
}

export function useRequest(): FormRequest {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const run = async (request: () => Promise<void>, done: () => void): Promise<void> => {
    setBusy(true);
    setProblem("");
    try {
      await request();
      done();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(`${error.message} ${error.hint}`.trim());
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, run: (request, done) => void run(request, done) };
}
