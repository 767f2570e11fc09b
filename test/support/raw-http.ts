// HTTP over a bare socket: several requests at once, odd headers, bodies that stop; and the answers one by one.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

export class RawConnection {
  readonly socket: Socket;
  readonly answers: RawAnswer[] = [];
  /** Resolves when the server, or an error, has closed it. */
  readonly closed: Promise<void>;
  #bytes: Buffer[] = [];
  #size = 0;
  #awaited = 0;
  #look: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => undefined);
    socket.on("data", (data) => this.#read(data));
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        resolve();
        this.#look();
      });
    });
  }

  static async open(port: number): Promise<RawConnection> {
    const connection = new RawConnection(connect(port, "127.0.0.1"));
    await once(connection.socket, "connect");
    return connection;
  }

  send(text: string | Buffer): void {
    this.socket.write(text);
  }

  /** The first `count` answers; fewer where the connection closes before. */
  async first(count: number): Promise<RawAnswer[]> {
    await new Promise<void>((resolve) => {
      this.#look = () => {
        if (this.answers.length >= count || this.socket.destroyed) resolve();
      };
      this.#look();
    });
    return this.answers.slice(0, count);
  }

  #read(data: Buffer): void {
    this.#bytes.push(data);
    this.#size += data.length;
    if (this.#size < this.#awaited) return;
    let rest = Buffer.concat(this.#bytes);
    for (let found = parse(rest); found; found = parse(rest)) {
      if (found.size > rest.length) {
        this.#awaited = found.size;
        break;
      }
      this.answers.push({ ...found.head, body: rest.toString("utf8", found.bodyAt, found.size) });
      rest = rest.subarray(found.size);
      this.#awaited = 0;
    }
    this.#bytes = [rest];
    this.#size = rest.length;
    this.#look();
  }
}

/** Answers with a length, or without a body. */
function parse(
  bytes: Buffer,
): { head: Pick<RawAnswer, "status" | "headers">; bodyAt: number; size: number } | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const headers = new Map(
    lines.map((line) => [line.split(":", 1)[0]!.toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const status = Number(first.split(" ")[1]);
  const length = status === 101 || status === 204 || status === 304 ? 0 : Number(headers.get("content-length") ?? 0);
  return { head: { status, headers }, bodyAt: end + 4, size: end + 4 + length };
}
