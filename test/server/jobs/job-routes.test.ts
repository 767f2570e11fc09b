// Jobs over HTTP: uploads and files that the server has, what is refused and why, lists, results and parts of them.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findFfmpeg } from "../../../src/pipeline/find-ffmpeg.ts";
import { createGuard } from "../../../src/pipeline/guard.ts";
import type { JobInfo, JobList } from "../../../src/server/jobs/job-schemas.ts";
import type { JobRunner, JobWork } from "../../../src/server/jobs/jobs.ts";
import { ffmpeg, makeFolder, testPicture } from "../../support/ffmpeg.ts";
import { jsonOf, type TestOptions, withApp, withServer } from "../../support/test-server.ts";

let folder: Awaited<ReturnType<typeof makeFolder>>;
let clip: string;
let tools: TestOptions["deps"];

beforeAll(async () => {
  folder = await makeFolder();
  clip = join(folder.path, "clip.mp4");
  await ffmpeg(testPicture("64x48", 10, 1), "-pix_fmt yuv420p", clip);
  tools = { jobTools: { ffmpeg: await findFfmpeg(), guard: createGuard(), model: () => "red-finder" } };
});
afterAll(() => folder.remove());

/** For a machine that is busy with other things. */
const PATIENT = { timeout: 20_000 };

type Part = string | Blob;

/** A part is a field, or a file by its name. */
function upload(parts: readonly (readonly [string, Part, string?])[]): RequestInit {
  const body = new FormData();
  for (const [name, value, fileName] of parts) {
    if (typeof value === "string") body.append(name, value);
    else body.append(name, value, fileName);
  }
  return { method: "POST", body };
}

const file = (path = clip): Blob => new Blob([readFileSync(path)]);
const asJson = (body: object): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

test("an upload becomes a job, with its options from fields of the form, under a harmless name", async () => {
  const works: JobWork[] = [];
  const runJob: JobRunner = async (work) => {
    works.push(work);
    expect(readFileSync(join(work.folder, "upload", work.record.video))).toEqual(readFileSync(clip));
    await Promise.resolve();
    return {};
  };
  await withApp({ deps: tools!, runJob }, async ({ ask, jobs }) => {
    const fields = [
      ["out", "coco,csv"],
      ["out", "video"],
      ["every", "2"],
      ["end", "0.8"],
      ["labels", "red"],
    ] as const;
    const answer = await ask(
      "/v1/jobs",
      upload([...fields, ["keyframes", "false"], ["file", file(), "../-käfig: 1%d.mp4"]]),
    );
    expect([answer.status, await answer.clone().text()]).toEqual([202, expect.any(String)]);
    const job = (await answer.json()) as JobInfo;
    expect(answer.headers.get("location")).toBe(`/v1/jobs/${job.id}`);
    const options = { out: ["coco", "csv", "video"], every: 2, end: 0.8, labels: ["red"], keyframes: false };
    expect(job).toMatchObject({ state: "queued", video: "käfig_ 1_d.mp4", options, results: [] });
    jobs.open();
    await expect.poll(() => jobs.get(job.id).state, PATIENT).toBe("done");
    expect(works[0]!.record).toMatchObject({
      framesExpected: 4,
      settings: expect.arrayContaining(["--model=red-finder"]) as unknown,
    });
  });
});

test("a file under one of fileRoots becomes a job where it lies; others do not exist", async () => {
  await withApp({ deps: tools!, config: { fileRoots: [folder.path] } }, async ({ ask }) => {
    const answer = await ask("/v1/jobs", asJson({ path: clip, fps: 5, start: 0.5 }));
    expect([answer.status, await answer.json()]).toMatchObject([
      202,
      { path: clip, options: { out: ["jsonl"], fps: 5 } },
    ]);
    const refused = async (body: object): Promise<unknown> =>
      (await jsonOf(await ask("/v1/jobs", asJson(body))))["code"];
    expect(await refused({ path: "/etc/passwd" })).toBe("FILE_NOT_ALLOWED");
    expect(await refused({ path: join(folder.path, "none.mp4") })).toBe("FILE_NOT_FOUND");
    expect(await refused({ path: clip, start: 2, end: 1 })).toBe("BAD_REQUEST");
  });
});

test("what cannot be a job is refused with its reason, and nothing of it is left", async () => {
  const playlist = join(folder.path, "list.m3u8");
  writeFileSync(playlist, `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${clip}\n`);
  const concat = join(folder.path, "concat.mp4");
  writeFileSync(concat, "ffconcat version 1.0\nfile clip.mp4\n");
  await withApp({ deps: tools!, config: { jobMaxMb: 1 }, jobLimits: { maxCount: 1 } }, async ({ ask, jobsFolder }) => {
    const refusal = async (init: RequestInit): Promise<unknown[]> => {
      const answer = await ask("/v1/jobs", init);
      const { code, detail } = await jsonOf(answer);
      return [answer.status, code, detail];
    };
    const cases: [RequestInit, number, string, RegExp][] = [
      [
        upload([
          ["out", "coco,gif"],
          ["file", file(), "a.mp4"],
        ]),
        400,
        "BAD_REQUEST",
        /"out\[1\]" cannot be "gif"/,
      ],
      [
        upload([
          ["file", file(), "a.mp4"],
          ["every", "often"],
        ]),
        400,
        "BAD_REQUEST",
        /"every" cannot be "often"/,
      ],
      [
        upload([
          ["labels", "wolf"],
          ["file", file(), "a.mp4"],
        ]),
        400,
        "LABEL_UNKNOWN",
        /wolf/,
      ],
      [
        upload([
          ["colour", "red"],
          ["file", file(), "a.mp4"],
        ]),
        400,
        "BAD_REQUEST",
        /colour/,
      ],
      [upload([["out", "coco"]]), 400, "BAD_REQUEST", /no part "file"/],
      [upload([["video", file(), "a.mp4"]]), 400, "BAD_REQUEST", /"video" is no part that is a file/],
      [
        upload([
          ["file", file(), "a.mp4"],
          ["file", file(), "b.mp4"],
        ]),
        400,
        "BAD_REQUEST",
        /two files/,
      ],
      [upload([["file", new Blob([]), "a.mp4"]]), 400, "STREAM_EMPTY", /"a.mp4" is empty/],
      [
        upload([["file", new Blob(["no video"]), "a.mp4"]]),
        400,
        "STREAM_NOT_VIDEO",
        /"a.mp4" (is no video|has no index)/,
      ],
      [upload([["file", file(playlist), "a.mp4"]]), 400, "STREAM_NOT_VIDEO", /list of other files/],
      [upload([["file", file(concat), "a.mp4"]]), 400, "STREAM_NOT_VIDEO", /list of other files/],
      [upload([["file", new Blob([new Uint8Array(1_100_000)]), "a.mp4"]]), 413, "BODY_TOO_LARGE", /more than/],
      [
        { method: "POST", body: "x", headers: { "content-type": "multipart/form-data" } },
        400,
        "BAD_REQUEST",
        /names no boundary/,
      ],
      [
        {
          method: "POST",
          body: "--x\r\nContent-Disposition",
          headers: { "content-type": "multipart/form-data; boundary=x" },
        },
        400,
        "BAD_REQUEST",
        /not in parts/,
      ],
      [
        { method: "POST", body: "--\r\n\r\nx", headers: { "content-type": "multipart/form-data; boundary=" } },
        400,
        "BAD_REQUEST",
        /boundary/,
      ],
      [
        {
          method: "POST",
          body: '--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\nhalf of it',
          headers: { "content-type": "multipart/form-data; boundary=x" },
        },
        400,
        "BAD_REQUEST",
        /not in parts/,
      ],
      [asJson({ path: clip, end: 1e308 }), 400, "BAD_REQUEST", /"end" cannot be 1e\+308/],
      [asJson({ path: clip, start: 1e21, end: 1e22 }), 400, "BAD_REQUEST", /"start"/],
      [asJson({ path: clip, every: 2 ** 53 - 1 }), 400, "BAD_REQUEST", /"every"/],
      [asJson({ path: clip, fps: 5e-324 }), 400, "BAD_REQUEST", /"fps"/],
      [{ method: "POST", body: "x", headers: { "content-type": "video/mp4" } }, 415, "CONTENT_TYPE", /video\/mp4/],
    ];
    for (const [init, status, code, detail] of cases)
      expect(await refusal(init)).toEqual([status, code, expect.stringMatching(detail)]);
    expect(existsSync(jobsFolder) ? readdirSync(jobsFolder) : []).toEqual([]);
    expect((await ask("/v1/jobs", upload([["file", file(), "a.mp4"]]))).status).toBe(202);
    expect(await refusal(upload([["file", file(), "a.mp4"]]))).toEqual([507, "JOBS_FULL", expect.any(String)]);
  });
});

test("uploads that are refused, three at once, cost no job that has ended where no more are kept", async () => {
  const runJob: JobRunner = async ({ folder: place }) => {
    mkdirSync(join(place, "results"), { recursive: true });
    writeFileSync(join(place, "results", "a.jsonl"), "{}\n");
    await Promise.resolve();
    return { frames: 1, detections: 0 };
  };
  await withServer({ deps: tools!, runJob, jobLimits: { maxCount: 3 } }, async ({ url, jobs }) => {
    jobs.open();
    const post = (video: Blob): Promise<Response> => fetch(`${url}v1/jobs`, upload([["file", video, "a.mp4"]]));
    const list = async (): Promise<JobInfo[]> => ((await (await fetch(`${url}v1/jobs`)).json()) as JobList).jobs;
    for (let i = 0; i < 3; i++) expect((await post(file())).status).toBe(202);
    const states = async (): Promise<string[]> => (await list()).map(({ state }) => state);
    await expect.poll(states, PATIENT).toEqual(["done", "done", "done"]);
    const before = await list();
    const refused = await Promise.all([1, 2, 3].map((n) => post(new Blob([`no video ${n}`]))));
    expect(await list()).toEqual(before);
    expect(refused.map(({ status }) => status)).toEqual([400, 400, 400]);
    for (const { id } of before) expect((await fetch(`${url}v1/jobs/${id}/results/a.jsonl`)).status).toBe(200);
    // One that is taken costs the oldest.
    expect((await post(file())).status).toBe(202);
    const kept = before.slice(0, 2).map(({ id }) => id);
    await expect.poll(async () => (await list()).slice(1).map(({ id }) => id), PATIENT).toEqual(kept);
  });
});

test("jobs are listed in pages, looked at, cancelled and deleted", async () => {
  await withApp({ deps: tools! }, async ({ ask }) => {
    const made: string[] = [];
    for (let i = 0; i < 3; i++)
      made.push(String((await jsonOf(await ask("/v1/jobs", upload([["file", file(), "a.mp4"]]))))["id"]));
    const page = async (query: string): Promise<JobList> => (await (await ask(`/v1/jobs?${query}`)).json()) as JobList;
    const first = await page("limit=2");
    expect([first.jobs.map(({ id }) => id), first.total]).toEqual([[made[2], made[1]], 3]);
    expect((await page(`limit=2&cursor=${first.next}`)).jobs.map(({ id }) => id)).toEqual([made[0]]);
    const cancel = (): Promise<Response> => ask(`/v1/jobs/${made[1]}/cancel`, { method: "POST" });
    expect([(await cancel()).status, await jsonOf(await cancel())]).toMatchObject([200, { state: "cancelled" }]);
    expect((await page("state=queued")).total).toBe(2);
    expect((await ask(`/v1/jobs/${made[0]}`, { method: "DELETE" })).status).toBe(204);
    const gone = await ask(`/v1/jobs/${made[0]}`);
    expect([gone.status, (await jsonOf(gone))["code"]]).toEqual([404, "JOB_UNKNOWN"]);
  });
});

test("results are downloaded whole or in parts, those that are folders as one archive", async () => {
  const runJob: JobRunner = async ({ folder: place }) => {
    mkdirSync(join(place, "results", "a-voc"), { recursive: true });
    writeFileSync(join(place, "results", "a.csv"), "0123456789");
    writeFileSync(join(place, "results", "a-voc", "1.xml"), "<annotation/>");
    await Promise.resolve();
    return { frames: 1, detections: 0 };
  };
  await withServer({ deps: tools!, runJob }, async ({ url, jobs }) => {
    jobs.open();
    const { id } = (await (
      await fetch(
        `${url}v1/jobs`,
        upload([
          ["out", "csv,voc"],
          ["file", file(), "a.mp4"],
        ]),
      )
    ).json()) as JobInfo;
    await expect.poll(() => jobs.get(id).state, PATIENT).toBe("done");
    const [csv, voc] = jobs.get(id).results;
    expect([csv, voc]).toMatchObject([
      { name: "a.csv", bytes: 10 },
      { name: "a-voc.tar", form: "voc", files: 1 },
    ]);
    const get = async (name: string, headers: Record<string, string> = {}): Promise<[number, string, Headers]> => {
      const answer = await fetch(`${url}v1/jobs/${id}/results/${name}`, { headers });
      return [answer.status, await answer.text(), answer.headers];
    };
    const [status, text, headers] = await get("a.csv");
    expect([status, text]).toEqual([200, "0123456789"]);
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-type": "text/csv",
      "content-length": "10",
      "content-disposition": "attachment; filename=\"a.csv\"; filename*=UTF-8''a.csv",
      "accept-ranges": "bytes",
    });
    const part = async (range: string, tag?: string): Promise<unknown[]> => {
      const [code, body] = await get("a.csv", { range, ...(tag !== undefined && { "if-range": tag }) });
      return [code, code === 416 ? "" : body];
    };
    expect(await part("bytes=2-4")).toEqual([206, "234"]);
    expect(await part("bytes=7-")).toEqual([206, "789"]);
    expect(await part("bytes=-3", headers.get("etag")!)).toEqual([206, "789"]);
    expect(await part("bytes=7-", '"another"')).toEqual([200, "0123456789"]);
    expect(await part("bytes=0-1,3-4")).toEqual([200, "0123456789"]);
    expect(await part("bytes=10-")).toEqual([416, ""]);
    expect((await get("a-voc.tar"))[1]).toContain("<annotation/>");
    expect((await get("..%2Fupload"))[0]).toBe(404);
    const head = await fetch(`${url}v1/jobs/${id}/results/a.csv`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "10"]);
  });
});
