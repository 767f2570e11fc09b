// The WebSocket's messages as JSON Schema, for clients in other languages: /v1/schema.json, docs/websocket.schema.json.
import { z } from "zod";
import {
  ClientMessage,
  Detections,
  Hello,
  Ping,
  Result,
  ServerMessage,
  StreamEvent,
  Subscribe,
  Unsubscribe,
} from "./protocol.ts";

/** `$defs` has each message by its name, `ClientMessage` what a client may send and `ServerMessage` what it gets. */
export function messageSchema(): object {
  const registry = z.registry<{ id: string }>();
  const asked = { Subscribe, Unsubscribe, Ping, ClientMessage };
  const schemas = { ...asked, Hello, Result, Detections, StreamEvent, ServerMessage };
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const { schemas: $defs } = z.toJSONSchema(registry, { uri: (id) => `#/$defs/${id}`, io: "output" });
  // Each is a document of its own there; here they are parts of one.
  const parts = Object.entries($defs).map(([id, part]) => {
    const { $schema: _schema, $id: _id, ...own } = part;
    return [id, id in asked ? own : open(own)] as const;
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "multibox, WebSocket protocol 1",
    $defs: Object.fromEntries(parts),
  };
}

/** A message of the server may gain fields; a client that is checked by its schema must not break then. */
function open(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(open);
  if (typeof part !== "object" || part === null) return part;
  const fields = Object.entries(part).filter(([name, value]) => !(name === "additionalProperties" && value === false));
  return Object.fromEntries(fields.map(([name, value]) => [name, open(value)]));
}
