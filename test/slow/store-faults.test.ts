// A database that is locked by another process, or deleted while the server runs: frames flow, and nothing acknowledged is lost.
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { demoClip } from "../../src/demo-clip.ts";
import { storePath } from "../../src/server/database/store.ts";
import { lockDatabase } from "../support/database-lock.ts";
import { testCacheDir } from "../support/model.ts";
import { type Multibox, runMultibox, startMultibox } from "../support/multibox.ts";
import { until } from "../support/processes.ts";

/** Messages that come while a change waits, before it is looked whether that has been answered. */
const FRAMES = 10;

interface Folder {
  readonly path: string;
  readonly start: () => Promise<Multibox>;
}

async function withDataDir(run: (folder: Folder) => Promise<void>): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), "multibox-store-"));
  const clip = await demoClip(testCacheDir());
  const args = ["--no-demo", "--file-roots", join(clip, "..")];
  try {
    await run({ path, start: () => startMultibox(args, { MULTIBOX_DATA_DIR: path }) });
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

const cam = async (): Promise<object> => ({ id: "cam", url: await demoClip(testCacheDir()), loop: true, maxFps: 20 });
const still = async (id: string): Promise<object> => ({ ...(await cam()), id, paused: true });
const ids = async (multibox: Multibox): Promise<string[]> => (await multibox.streams()).map(({ id }) => id);

const patch = (multibox: Multibox, id: string, body: object): Promise<Response> =>
  multibox.ask(`/v1/streams/${id}`, {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

test("while another process has the write lock, frames flow and reads are answered; a write waits, or is refused after a while", async () => {
  await withDataDir(async ({ path, start }) => {
    let multibox = await start();
    try {
      expect((await multibox.add(await cam())).status).toBe(201);
      const client = await multibox.connect("cam");
      const frames = async (): Promise<void> => {
        const before = client.detections().length;
        await until(() => client.detections().length >= before + FRAMES);
      };
      await frames();
      const lock = await lockDatabase(storePath(path));
      let answered: number | undefined;
      const adding = multibox.add(await still("second")).then(({ status }) => (answered = status));
      await frames();
      expect(answered).toBeUndefined();
      expect(await ids(multibox)).toEqual(["cam"]);
      await lock.release();
      expect(await adding).toBe(201);

      const again = await lockDatabase(storePath(path));
      const refused = await patch(multibox, "second", { maxFps: 3 });
      expect([refused.status, await refused.json()]).toEqual([
        503,
        expect.objectContaining({ code: "STORE_UNAVAILABLE", detail: expect.stringContaining("keeps it locked") }),
      ]);
      await frames();
      await again.release();
      expect((await multibox.streams())[1]!.settings.maxFps).toBe(20);
      expect((await patch(multibox, "second", { maxFps: 4 })).status).toBe(200);
      await multibox.stop("SIGKILL");

      multibox = await start();
      expect((await multibox.streams()).map(({ id, settings }) => [id, settings.maxFps])).toEqual([
        ["cam", 20],
        ["second", 4],
      ]);
    } finally {
      await multibox.stop("SIGKILL");
    }
  });
});

test("a token counts, and counts no longer, with the next request, also while the database is locked", async () => {
  await withDataDir(async ({ path, start }) => {
    const multibox = await start();
    try {
      const env = { MULTIBOX_DATA_DIR: path };
      const made = await runMultibox(["token", "create", "phone"], env);
      const headers = { authorization: `Bearer ${made.stdout.trim()}` };
      const status = async (init?: RequestInit): Promise<number> => (await multibox.ask("/v1/streams", init)).status;
      expect([await status(), await status({ headers })]).toEqual([401, 200]);
      const lock = await lockDatabase(storePath(path));
      expect([await status(), await status({ headers })]).toEqual([401, 200]);
      await lock.release();
      expect(await runMultibox(["token", "revoke", "phone"], env)).toMatchObject({ code: 0 });
      expect(await status({ headers })).toBe(401);
    } finally {
      await multibox.stop();
    }
  });
});

test("changes are refused while the database is deleted, and /health/ready says so; when it is back they are stored", async () => {
  await withDataDir(async ({ path, start }) => {
    const multibox = await start();
    const ready = async (): Promise<[number, string | undefined]> => {
      const answer = await multibox.ask("/health/ready");
      const { store } = (await answer.json()) as { store?: { error?: { message: string } } };
      return [answer.status, store?.error?.message];
    };
    const codeOf = async (answer: Response): Promise<unknown[]> => [
      answer.status,
      ((await answer.json()) as { code?: string }).code,
    ];
    try {
      expect((await multibox.add(await cam())).status).toBe(201);
      const file = storePath(path);
      renameSync(file, `${file}.away`);
      expect(await codeOf(await multibox.add(await still("lost")))).toEqual([503, "STORE_UNAVAILABLE"]);
      expect(await codeOf(await multibox.ask("/v1/streams/cam", { method: "DELETE" }))).toEqual([
        503,
        "STORE_UNAVAILABLE",
      ]);
      expect(await ids(multibox)).toEqual(["cam"]);
      expect(await ready()).toEqual([503, expect.stringContaining("was deleted while the server runs")]);
      expect(multibox.stderr).toContain("changes cannot be stored");
      renameSync(`${file}.away`, file);
      await until(async () => (await ready())[0] === 200);
      expect((await multibox.add(await still("kept"))).status).toBe(201);
    } finally {
      await multibox.stop("SIGKILL");
    }
  });
});

test("the whole data folder deleted: nothing is acknowledged that is not kept", async () => {
  await withDataDir(async ({ path, start }) => {
    const multibox = await start();
    try {
      expect((await multibox.add(await still("cam"))).status).toBe(201);
      rmSync(path, { recursive: true });
      expect((await multibox.add(await still("lost"))).status).toBe(503);
      expect((await multibox.ask("/health/ready")).status).toBe(503);
    } finally {
      await multibox.stop("SIGKILL");
    }
  });
});

test("a stream that is added while one of its id is still being removed is there after a restart, and clients hear it last", async () => {
  const sockets = new Set<Socket>();
  // A camera that accepts, and answers nothing: ffmpeg takes its time to end.
  const hung = createServer((socket) => void sockets.add(socket.on("error", () => undefined)));
  await new Promise<void>((resolve) => hung.listen(0, "127.0.0.1", resolve));
  const { port } = hung.address() as { port: number };
  try {
    await withDataDir(async ({ start }) => {
      let multibox = await start();
      try {
        const url = `rtsp://127.0.0.1:${port}/x`;
        const client = await multibox.connect("*");
        expect((await multibox.add({ id: "door", url })).status).toBe(201);
        await until(() => sockets.size > 0);
        const removing = multibox.ask("/v1/streams/door", { method: "DELETE" });
        await until(async () => !(await ids(multibox)).includes("door"));
        const adding = multibox.add({ id: "door", url, maxFps: 7 });
        expect([(await removing).status, (await adding).status]).toEqual([204, 201]);
        const states = (): string[] =>
          client.messages.flatMap((message) => (message.type === "stream" ? [message.state] : []));
        await until(() => states().lastIndexOf("connecting") > states().indexOf("removed"));
        expect(states().filter((state) => state === "removed")).toHaveLength(1);
        await multibox.stop("SIGKILL");
        multibox = await start();
        expect((await multibox.streams()).map(({ id, settings }) => [id, settings.maxFps])).toEqual([["door", 7]]);
      } finally {
        await multibox.stop("SIGKILL");
      }
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    hung.close();
  }
});
