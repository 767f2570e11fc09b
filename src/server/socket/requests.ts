// A client's WebSocket message -> a request, or a sentence that says what is wrong with it.
import { MultiboxError } from "../../errors.ts";
import { check } from "../api/body.ts";
import { ClientMessage, Ping, Result, Subscribe, Unsubscribe, Unwatch, Watch } from "../protocol.ts";

/** Longer messages are answered with an error; far longer ones never get here, ws ends their connection. */
const MAX_BYTES = 65_536;

/** Fails with BAD_MESSAGE. */
export function parseRequest(bytes: Buffer, isBinary: boolean): ClientMessage {
  if (isBinary) throw bad("Requests are text, and this message is binary.", "Send JSON as a text message.");
  if (bytes.length > MAX_BYTES) {
    throw bad(
      `The message has ${bytes.length} bytes, and at most ${MAX_BYTES} are read.`,
      "Name fewer streams or labels.",
    );
  }
  const input = parse(bytes);
  if (input === undefined) throw bad("The message is not JSON.", "Check its quotes, commas and brackets.");
  return check(ClientMessage, input, "BAD_MESSAGE", hintFor(input));
}

/** The id of a broken request where it has one, so that the client can tell which it was. */
export function idOf(bytes: Buffer): Result["id"] {
  const input = bytes.length > MAX_BYTES ? undefined : parse(bytes);
  const id = Result.shape.id.safeParse(isObject(input) ? input["id"] : null);
  return id.success ? id.data : null;
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

function hintFor(input: unknown): string {
  const schema = [Subscribe, Unsubscribe, Watch, Unwatch, Ping].find(
    ({ shape }) => isObject(input) && input["type"] === shape.type.value,
  );
  if (!schema)
    return 'A request is an object with an "id" and a "type", "subscribe", "unsubscribe", "watch", "unwatch" or "ping".';
  return `The fields of ${schema.shape.type.value} are: ${Object.keys(schema.shape).join(", ")}.`;
}

function isObject(input: unknown): input is Record<string, unknown> {
  return typeof input === "object" && input !== null;
}

function bad(message: string, hint: string): MultiboxError {
  return new MultiboxError("BAD_MESSAGE", message, hint);
}
