// The WebSocket's messages as JSON Schema, for clients in other languages: /v1/schema.json, docs/websocket.schema.json.
import { z } from "zod";
import {
  ClientMessage,
  Detections,
  Hello,
  JobEvent,
  Ping,
  Result,
  ServerMessage,
  StreamEvent,
  Subscribe,
  TrainingEvent,
  Unsubscribe,
  Unwatch,
  Watch,
} from "../protocol.ts";

type Part = Readonly<Record<string, unknown>>;

/** `$defs` has each message by its name, `ClientMessage` what a client may send and `ServerMessage` what it gets. */
export function messageSchema(): object {
  const registry = z.registry<{ id: string }>();
  const asked = { Subscribe, Unsubscribe, Watch, Unwatch, Ping, ClientMessage };
  const schemas = { ...asked, Hello, Result, Detections, StreamEvent, JobEvent, TrainingEvent, ServerMessage };
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const { schemas: documents } = z.toJSONSchema(registry, { uri: (id) => `#/$defs/${id}`, io: "output" });
  const { __shared: shared, ...own } = documents as Record<string, { $defs?: Record<string, Part> }>;
  // Each is a document of its own there, with one for what they share; here all are parts of one.
  const parts = Object.entries({ ...shared?.$defs, ...own }).map(([id, part]) => {
    const { $schema: _schema, $id: _id, ...rest } = part as Part;
    return [id, id in asked ? rest : open(rest)] as const;
  });
  const whole = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "multibox, WebSocket protocol 1",
    $defs: Object.fromEntries(parts),
  };
  return JSON.parse(JSON.stringify(whole).replaceAll("#/$defs/__shared#/$defs/", "#/$defs/")) as object;
}

/** A message of the server may gain fields; a client that is checked by its schema must not break then. */
function open(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(open);
  if (typeof part !== "object" || part === null) return part;
  const fields = Object.entries(part).filter(([name, value]) => !(name === "additionalProperties" && value === false));
  return Object.fromEntries(fields.map(([name, value]) => [name, open(value)]));
}
