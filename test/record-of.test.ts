// The key `__proto__`, in whatever takes names of a user's choice: refused by name, never dropped without a word.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../src/load-config.ts";
import { SocketClient } from "./support/socket-client.ts";
import { jsonOf, withApp, withServer } from "./support/test-server.ts";

const of = (value: string, name = "__proto__"): string => `{ "a": ${value}, "${name}": ${value} }`;

test.each([
  ["POST", "/v1/streams", `{ "id": "new", "url": "rtsp://127.0.0.1:9/x", "limits": ${of("{}")} }`, "limits.__proto__"],
  ["PATCH", "/v1/streams/there", `{ "limits": ${of("{}")} }`, "limits.__proto__"],
  ["POST", "/v1/trainings", `{ "settings": { "merge": ${of('["b"]')} } }`, "settings.merge.__proto__"],
  ["POST", "/v1/trainings", `{ "settings": { "merge": ${of('["b"]', " __proto__")} } }`, "settings.merge. __proto__"],
])("%s %s with such a key is refused with 400: %s", async (method, path, body, name) => {
  await withApp({}, async ({ ask, pipeline }) => {
    pipeline.addStream("there");
    const answer = await ask(path, { method, headers: { "content-type": "application/json" }, body });
    const { code, detail } = await jsonOf(answer);
    expect([answer.status, code]).toEqual([400, "BAD_REQUEST"]);
    expect(detail).toMatch(new RegExp(`^"${name}" cannot be .*: "__proto__" is a reserved name\\.$`));
    expect(pipeline.list()).toHaveLength(1);
  });
});

test("so is a subscription", async () => {
  await withServer({}, async ({ socketUrl }) => {
    const client = await SocketClient.open(socketUrl);
    const { ok, error } = await client.ask({ type: "subscribe", streams: ["*"], since: JSON.parse(of("1")) as object });
    expect([ok, error]).toEqual([false, expect.objectContaining({ message: expect.stringContaining("since") })]);
  });
});

test("so is a setting, with its line", async () => {
  const folder = await mkdtemp(join(tmpdir(), "multibox-record-"));
  try {
    const file = join(folder, "multibox.yaml");
    await writeFile(file, "streams:\n  - id: door\n    url: a.mp4\n    limits:\n      __proto__: { minScore: 0.5 }\n");
    const sentence = expect.stringMatching(/:5: The setting streams\.0\.limits\.__proto__: /);
    await expect(loadConfig({ file })).rejects.toMatchObject({ code: "CONFIG_INVALID", message: sentence });
  } finally {
    await rm(folder, { recursive: true });
  }
});
