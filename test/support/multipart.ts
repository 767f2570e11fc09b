// Takes the parts of a multipart answer apart as they come, as RFC 2046 says.

export class Multipart {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = Buffer.alloc(0);
  ended = false;

  constructor(answer: Response) {
    this.#reader = answer.body!.getReader();
  }

  /** The next part, or undefined after the last. Needs nothing of the part after it. */
  async next(): Promise<{ headers: Headers; body: Buffer } | undefined> {
    const boundary = await this.#upTo("--multibox");
    if (boundary !== "" && boundary !== "\r\n") throw new Error(`Between two parts was ${JSON.stringify(boundary)}.`);
    if ((await this.#take(2)).toString() === "--") {
      while (!this.ended) await this.#read();
      return undefined;
    }
    const lines = (await this.#upTo("\r\n\r\n")).split("\r\n");
    const headers = new Headers(lines.map((line) => line.split(": ") as [string, string]));
    const body = await this.#take(Number(headers.get("content-length")));
    // The boundary has come along, so that a browser shows the part at once.
    if (!this.#text.toString("latin1").startsWith("\r\n--multibox"))
      throw new Error("A part came without the boundary after it.");
    return { headers, body };
  }

  async seq(): Promise<number> {
    return Number((await this.next())?.headers.get("x-multibox-seq"));
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }

  async #upTo(mark: string): Promise<string> {
    while (!this.#text.includes(mark)) await this.#read();
    const text = await this.#take(this.#text.indexOf(mark) + mark.length);
    return text.subarray(0, -mark.length).toString();
  }

  async #take(bytes: number): Promise<Buffer> {
    while (this.#text.length < bytes) await this.#read();
    const taken = this.#text.subarray(0, bytes);
    this.#text = this.#text.subarray(bytes);
    return taken;
  }

  async #read(): Promise<void> {
    const { done, value } = await this.#reader.read();
    this.ended = done;
    if (value) this.#text = Buffer.concat([this.#text, value]);
  }
}
