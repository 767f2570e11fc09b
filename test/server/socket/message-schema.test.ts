// The published JSON Schema of the WebSocket is the server's own. `UPDATE=1 npx vitest run test/server/socket/message-schema.test.ts` writes it.
import { readFileSync, writeFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { messageSchema } from "../../../src/server/socket/message-schema.ts";
import { withApp } from "../../support/test-server.ts";

const file = new URL("../../../docs/websocket.schema.json", import.meta.url);
const docs = readFileSync(new URL("../../../docs/websocket.md", import.meta.url), "utf8");
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true }).addSchema(messageSchema(), "multibox");

test("docs/websocket.schema.json is what /v1/schema.json answers", async () => {
  if (process.env["UPDATE"]) writeFileSync(file, `${JSON.stringify(messageSchema(), null, 2)}\n`);
  const published: unknown = JSON.parse(readFileSync(file, "utf8"));
  expect(published).toEqual(messageSchema());
  await withApp({}, async ({ ask }) => expect(await (await ask("/v1/schema.json")).json()).toEqual(published));
});

test("every example in docs/websocket.md is valid by it", () => {
  const examples = [...docs.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json]) => JSON.parse(json!) as unknown);
  const isMessage = (example: unknown): boolean =>
    ["ClientMessage", "ServerMessage"].some((name) => ajv.validate(`multibox#/$defs/${name}`, example));
  expect(examples.filter((example) => !isMessage(example))).toEqual([]);
});

test("it refuses what the server refuses, and takes a newer server's fields", () => {
  const isRequest = (message: object): boolean => ajv.validate("multibox#/$defs/ClientMessage", message);
  expect(isRequest({ id: 1, type: "subscribe", streams: ["a"], since: { a: 3 }, maxFps: 5 })).toBe(true);
  expect(isRequest({ id: 1, type: "subscribe", streams: ["a"], minscore: 0.5 })).toBe(false);
  expect(isRequest({ id: 1, type: "subscribe", streams: ["a b"] })).toBe(false);
  expect(ajv.validate("multibox#/$defs/Result", { id: 1, type: "result", ok: true, mood: "good" })).toBe(true);
});
