// Folders in the data folder: written to while they are what they were, never recreated where one has vanished while the server runs.
import { mkdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { MultiboxError } from "../errors.ts";
import { writeFailure } from "../whole-file.ts";
import { errorBody } from "./api/problem.ts";
import type { ErrorBody } from "./api/error-body.ts";
import { KnownPath } from "./known-path.ts";

export class DataFolder {
  readonly path: string;
  readonly #root: string;
  /** From the data folder down to this one. */
  readonly #paths: readonly KnownPath[];
  #failure: MultiboxError | undefined;

  /** `root`: the data folder. What there is now is what has to stay. */
  constructor(path: string, root = dirname(path)) {
    this.path = path;
    this.#root = root;
    const names = relative(root, path).split("/");
    this.#paths = [root, ...names.map((_, i) => join(root, ...names.slice(0, i + 1)))].map((at) => new KnownPath(at));
    for (const at of this.#paths) at.change();
  }

  /** FOLDER_UNAVAILABLE, as it was found last. */
  get failure(): MultiboxError | undefined {
    return this.#failure;
  }

  /** FOLDER_UNAVAILABLE where it was deleted, replaced or unmounted; undefined while it is as it was, or was never there. */
  async check(): Promise<MultiboxError | undefined> {
    this.#failure = undefined;
    for (const at of this.#paths) {
      const change = await at.changeLater();
      if (change === undefined) continue;
      const name = at.path === this.#root ? "The data folder" : `The folder ${relative(this.#root, at.path)}/`;
      this.#failure = new MultiboxError("FOLDER_UNAVAILABLE", `${name} ${change}.`, HINT);
      return this.#failure;
    }
    return undefined;
  }

  /** Fails with FOLDER_UNAVAILABLE. */
  async require(): Promise<void> {
    const failure = await this.check();
    if (failure) throw failure;
  }

  /**
   * Runs what writes into it; it is made first where it was never there. Fails with FOLDER_UNAVAILABLE, also where the folder vanishes
   * meanwhile: what was written then is not found again. Else as `action` does.
   */
  async write<T>(action: () => Promise<T>): Promise<T> {
    await this.require();
    if (!this.#paths.at(-1)!.isKnown) await this.#make();
    try {
      const result = await action();
      await this.require();
      return result;
    } catch (error) {
      throw (await this.check()) ?? error;
    }
  }

  async #make(): Promise<void> {
    try {
      await mkdir(this.path, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw writeFailure(cause, this.path);
    }
    await this.require();
  }
}

const HINT = "Put it back as it was, or restart the server to use what is there now.";
const WATCH_MS = 1000;

/** Looks at folders every second, for health checks and the log. */
export class DataFolders {
  readonly #folders: readonly DataFolder[];
  readonly #onChange: (failure: ErrorBody | undefined) => void;
  readonly #timer: NodeJS.Timeout;
  #told: string | undefined;
  #isLooking = false;

  /** `onChange` gets what is wrong, and undefined when all are as they were. */
  constructor(folders: readonly DataFolder[], onChange: (failure: ErrorBody | undefined) => void) {
    this.#folders = folders;
    this.#onChange = onChange;
    this.#timer = setInterval(() => void this.#look(), WATCH_MS).unref();
  }

  /** Of the first folder that is not as it was. */
  get failure(): ErrorBody | undefined {
    const found = this.#folders.find(({ failure }) => failure)?.failure;
    return found && errorBody(found);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    // A disk that hangs is asked once.
    if (this.#isLooking) return;
    this.#isLooking = true;
    await Promise.all(this.#folders.map((folder) => folder.check()));
    this.#isLooking = false;
    const { failure } = this;
    if (failure?.message === this.#told) return;
    this.#told = failure?.message;
    this.#onChange(failure);
  }
}
