// Python's pickles, as far as weights need them: containers, texts and numbers, and calls of a few named functions of our own.
import { PickleMachine, type PickleRoom } from "./pickle-machine.ts";

/**
 * Reads the pickle that begins at `start`: dictionaries become Maps, lists and tuples arrays, None null. No code of the file runs, and
 * a file that asks for it is refused by name. `end` is behind the pickle. Fails with WEIGHTS_UNSAFE or WEIGHTS_UNREADABLE.
 */
export function unpickle(bytes: Uint8Array, start: number, room: PickleRoom): { value: unknown; end: number } {
  const machine = new PickleMachine(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), start, room);
  for (;;) {
    const opcode = machine.take(1)[0]!;
    if (opcode === STOP) return { value: machine.pop(), end: machine.at };
    const step = STEPS.get(String.fromCharCode(opcode));
    const code = `0x${opcode.toString(16).padStart(2, "0")}`;
    if (!step) throw machine.fail(`it has the opcode ${code}, which weights do not need`);
    step(machine);
  }
}

const STOP = ".".charCodeAt(0);

const text = (machine: PickleMachine, length: number): void => machine.push(machine.take(length).toString("utf8"));
const tuple = (machine: PickleMachine, length: number): void => {
  const items = Array.from({ length }, () => machine.pop());
  machine.push(items.reverse());
};

/** What each opcode does to the machine, by the letter that it is (CPython, `Lib/pickletools.py`). */
const STEPS: ReadonlyMap<string, (machine: PickleMachine) => void> = new Map([
  // Protocol and frames say nothing that is needed here.
  ["\x80", (m) => void m.take(1)],
  ["\x95", (m) => void m.take(8)],
  ["(", (m) => m.mark()],
  ["0", (m) => void m.pop()],
  ["1", (m) => void m.popToMark()],
  ["N", (m) => m.push(null)],
  ["\x88", (m) => m.push(true)],
  ["\x89", (m) => m.push(false)],
  ["J", (m) => m.push(m.take(4).readInt32LE(0))],
  ["K", (m) => m.push(m.unsigned(1))],
  ["M", (m) => m.push(m.unsigned(2))],
  ["\x8a", (m) => m.push(longOf(m.take(m.unsigned(1))))],
  ["G", (m) => m.push(m.take(8).readDoubleBE(0))],
  ["X", (m) => text(m, m.unsigned(4))],
  ["\x8c", (m) => text(m, m.unsigned(1))],
  ["U", (m) => text(m, m.unsigned(1))],
  ["T", (m) => text(m, m.unsigned(4))],
  [")", (m) => m.push([])],
  ["\x85", (m) => tuple(m, 1)],
  ["\x86", (m) => tuple(m, 2)],
  ["\x87", (m) => tuple(m, 3)],
  ["t", (m) => m.push(m.popToMark())],
  ["]", (m) => m.push([])],
  ["l", (m) => m.push(m.popToMark())],
  ["a", (m) => append(m, [m.pop()])],
  ["e", (m) => append(m, m.popToMark())],
  ["}", (m) => m.push(new Map())],
  ["s", (m) => m.setItems([m.pop(), m.pop()].reverse())],
  ["u", (m) => m.setItems(m.popToMark())],
  ["q", (m) => m.put(m.unsigned(1))],
  ["r", (m) => m.put(m.unsigned(4))],
  ["\x94", (m) => m.memoize()],
  ["h", (m) => m.get(m.unsigned(1))],
  ["j", (m) => m.get(m.unsigned(4))],
  ["c", (m) => m.global(m.line(), m.line())],
  ["\x93", (m) => m.global(...([m.pop(), m.pop()].reverse() as [unknown, unknown]))],
  // Class and arguments since the mark, by name; it is refused, or called like any other.
  ["i", (m) => (m.global(m.line(), m.line()), m.call(m.pop(), m.popToMark()))],
  ["R", (m) => callTop(m)],
  ["\x81", (m) => callTop(m)],
  ["Q", (m) => m.persistent()],
  // A state dict's own attributes, `_metadata`: versions of its modules.
  ["b", (m) => (m.pop(), void m.top(Map<unknown, unknown>))],
]);

function append(machine: PickleMachine, items: readonly unknown[]): void {
  const list = machine.top(Array<unknown>);
  for (const item of items) list.push(item);
}

function callTop(machine: PickleMachine): void {
  const args = machine.pop();
  machine.call(machine.pop(), args);
}

/** A two's complement of any length, little-endian. */
function longOf(bytes: Buffer): number {
  if (bytes.length === 0) return 0;
  const value = BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
  return Number(BigInt.asIntN(bytes.length * 8, value));
}
