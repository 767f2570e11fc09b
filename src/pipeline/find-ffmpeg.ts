// Finds an ffmpeg to run: FFMPEG_PATH, else PATH, else the optional npm package that ships one.
import { constants } from "node:fs";
import { access, chmod } from "node:fs/promises";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { MultiboxError } from "../errors.ts";
import { captureProcess } from "./capture-process.ts";

/** An ffmpeg that answered. */
export interface Ffmpeg {
  readonly path: string;
  /** As it says itself: `5.1.9-0+deb12u1`. */
  readonly version: string;
  /** What its user should know of it, as a sentence. */
  readonly warning?: string;
  /** The option that lets every frame through with its own time; it was renamed in 5.1. */
  readonly syncOption: "-fps_mode" | "-vsync";
  /** Whether a concat script can give options to what it names. */
  readonly takesScripts: boolean;
}

const HINT = "Install ffmpeg 5.1 or newer (`apt install ffmpeg`, `brew install ffmpeg`), or set FFMPEG_PATH to one.";

/** The ffmpeg that is to be used; FFMPEG_MISSING where there is none. */
export async function findFfmpeg(env: NodeJS.ProcessEnv = process.env): Promise<Ffmpeg> {
  if (env["FFMPEG_PATH"]) {
    const named = await ask(env["FFMPEG_PATH"]);
    if (named) return named;
    throw new MultiboxError(
      "FFMPEG_MISSING",
      `FFMPEG_PATH is ${env["FFMPEG_PATH"]}, which is no ffmpeg that runs.`,
      HINT,
    );
  }
  const name = process.platform === "win32" ? "ffmpeg.exe" : "ffmpeg";
  for (const folder of (env["PATH"] ?? "").split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    const found = (await isThere(path)) && (await ask(path));
    if (found) return found;
  }
  const shipped = await shippedPath();
  const found = shipped && (await ask(shipped));
  if (found) return found;
  throw new MultiboxError("FFMPEG_MISSING", "There is no ffmpeg on PATH, and no npm package that ships one.", HINT);
}

const isThere = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** The binary of `@ffmpeg-installer/ffmpeg`, made executable: npm runs no install script where scripts are refused. */
async function shippedPath(): Promise<string | undefined> {
  try {
    const { path } = createRequire(import.meta.url)("@ffmpeg-installer/ffmpeg") as { readonly path: string };
    if (!(await isThere(path))) await chmod(path, 0o755);
    return path;
  } catch {
    return undefined;
  }
}

async function ask(path: string): Promise<Ffmpeg | undefined> {
  try {
    return describe(path, (await captureProcess(path, ["-version"])).toString());
  } catch {
    return undefined;
  }
}

/**
 * Versions are told by libavutil, because builds from git call themselves `N-47683-g0e8eb07980`: 56 came with ffmpeg
 * 4, 57 with 5 (57.28 with 5.1), and so on.
 */
function describe(path: string, text: string): Ffmpeg | undefined {
  const version = /^ffmpeg version (\S+)/m.exec(text)?.[1];
  if (version === undefined) return undefined;
  const [major, minor] = (/libavutil\s+(\d+)\.\s*(\d+)/.exec(text)?.slice(1) ?? ["57", "28"]).map(Number);
  const modern = major! > 57 || (major === 57 && minor! >= 28);
  return {
    path,
    version,
    syncOption: modern ? "-fps_mode" : "-vsync",
    takesScripts: modern,
    ...(modern
      ? {}
      : { warning: `ffmpeg ${version} (${path}) is older than 5.1: files play, but cameras may not. ${HINT}` }),
  };
}
