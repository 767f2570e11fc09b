// Another program to time: it answers each line of JSON with a line of JSON.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** What it is asked: so many runs of a batch of this network. */
export interface TimingRequest {
  /** Of a bundle, with the same network as `model.onnx` beside it. */
  readonly folder: string;
  readonly model: string;
  readonly batch: number;
  readonly runs: number;
}

/** A child process with one request at a time. What it prints to stderr is shown only when it fails. */
export class LineProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #answer: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined;
  #complaint = "";
  #isGone = false;

  constructor(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => this.#answer?.resolve(line));
    this.#child.stderr!.on("data", (bytes) => (this.#complaint = `${this.#complaint}${bytes}`.slice(-2000)));
    this.#child.stdin!.on("error", () => {});
    this.#exited = new Promise((resolve) => {
      const gone = (why: string): void => {
        this.#isGone = true;
        this.#answer?.reject(new Error(why));
        resolve();
      };
      this.#child.on("error", (error) => gone(error.message));
      this.#child.on("exit", (code, signal) => gone(`it ended with ${signal ?? code}: ${this.#complaint.trim()}`));
    });
  }

  /** What it is, in words: its first line. */
  ready(): Promise<string> {
    return this.#line().then((line) => describe(line));
  }

  /** How long a run takes, in milliseconds, as the process itself measures it. */
  async time(request: TimingRequest): Promise<number> {
    const line = this.#line();
    this.#child.stdin!.write(`${JSON.stringify(request)}\n`);
    const answer = JSON.parse(await line) as { ms?: number; error?: string };
    if (answer.ms === undefined) throw new Error(answer.error);
    return answer.ms;
  }

  async close(): Promise<void> {
    this.#child.stdin!.end();
    const force = setTimeout(() => this.#child.kill("SIGKILL"), 5000);
    await this.#exited;
    clearTimeout(force);
  }

  #line(): Promise<string> {
    if (this.#isGone) return Promise.reject(new Error(`it has ended: ${this.#complaint.trim()}`));
    return new Promise((resolve, reject) => (this.#answer = { resolve, reject }));
  }
}

function describe(line: string): string {
  const { name, error } = JSON.parse(line) as { name?: string; error?: string };
  if (name === undefined) throw new Error(error);
  return name;
}
