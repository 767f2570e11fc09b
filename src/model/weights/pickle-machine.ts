// Pickle's machine: a stack, a memo, and the one door for names, where what is not allowed is refused before anything could call it.
import { MultiboxError } from "../../errors.ts";

/** What a pickle may refer to. */
export interface PickleRoom {
  /** For messages. */
  readonly file: string;
  /** What `module.name` stands for: a function of the list of its arguments, or a value. Nothing else can be named. */
  readonly globals: ReadonlyMap<string, unknown>;
  /** What a persistent id stands for. */
  readonly persistent: (id: unknown) => unknown;
}

/** A function that a pickle may call. */
export type PickleCall = (args: readonly unknown[]) => unknown;

/** WEIGHTS_UNREADABLE, for a file of PyTorch. */
export function unreadable(file: string, why: string): MultiboxError {
  const hint = "Fetch it again, or save it again in Python with torch.save(model.state_dict(), FILE).";
  return new MultiboxError("WEIGHTS_UNREADABLE", `${file} is not a readable PyTorch file: ${why}.`, hint);
}

/** What the opcodes of `pickle.ts` work with. */
export class PickleMachine {
  readonly #bytes: Buffer;
  readonly #room: PickleRoom;
  readonly #memo = new Map<number, unknown>();
  /** What stands below each MARK that was not yet used. */
  readonly #below: unknown[][] = [];
  #stack: unknown[] = [];
  #at: number;

  constructor(bytes: Buffer, start: number, room: PickleRoom) {
    this.#bytes = bytes;
    this.#at = start;
    this.#room = room;
  }

  get at(): number {
    return this.#at;
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    if (this.#stack.length === 0) this.#broken("it takes from an empty stack");
    return this.#stack.pop();
  }

  mark(): void {
    this.#below.push(this.#stack);
    this.#stack = [];
  }

  /** All that was pushed since the last mark. */
  popToMark(): unknown[] {
    const items = this.#stack;
    this.#stack = this.#below.pop() ?? this.#broken("it uses a mark that it never set");
    return items;
  }

  top<T>(kind: new () => T): T {
    const top = this.#stack.at(-1);
    return top instanceof kind ? top : this.#broken("it fills a container that is none");
  }

  unsigned(bytes: 1 | 2 | 4): number {
    return this.take(bytes).readUIntLE(0, bytes);
  }

  take(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) this.#broken("it ends in the middle");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Up to the next line feed. */
  line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end === -1) return this.#broken("it ends in the middle");
    const line = this.#bytes.toString("utf8", this.#at, end);
    this.#at = end + 1;
    return line;
  }

  setItems(items: readonly unknown[]): void {
    const map = this.top(Map<unknown, unknown>);
    if (items.length % 2 !== 0) this.#broken("a dictionary has a key without a value");
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
  }

  put(index: number): void {
    this.#memo.set(index, this.#stack.at(-1));
  }

  memoize(): void {
    this.put(this.#memo.size);
  }

  get(index: number): void {
    if (!this.#memo.has(index)) this.#broken(`it refers to a value ${index} that it does not have`);
    this.push(this.#memo.get(index));
  }

  /** The only way in for names: what is not in the room is refused before anything could call it. */
  global(module: unknown, name: unknown): void {
    // Lists that hold each other would take forever to become text.
    if (typeof module !== "string" || typeof name !== "string") this.#broken("it names what is no text");
    const path = `${module}.${name}`;
    if (!this.#room.globals.has(path)) {
      throw new MultiboxError(
        "WEIGHTS_UNSAFE",
        `${this.#room.file} asks for ${JSON.stringify(path).slice(1, -1)}, which is no part of a tensor and could run code.`,
        "Nothing was run. If you trust the file, save only its tensors in Python: torch.save(model.state_dict(), FILE).",
      );
    }
    this.push(this.#room.globals.get(path));
  }

  call(callable: unknown, args: unknown): void {
    if (typeof callable !== "function" || !Array.isArray(args)) this.#broken("it calls what is no function");
    this.push((callable as PickleCall)(args as unknown[]));
  }

  persistent(): void {
    this.push(this.#room.persistent(this.pop()));
  }

  fail(why: string): MultiboxError {
    return unreadable(this.#room.file, why);
  }

  #broken(why: string): never {
    throw this.fail(why);
  }
}
