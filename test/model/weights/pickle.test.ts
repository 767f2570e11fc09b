// Pickles: what weights are made of is read, and whatever else one asks for is refused by name, before anything is called.
import { describe, expect, test, vi } from "vitest";
import { unpickle } from "../../../src/model/weights/pickle.ts";
import type { PickleRoom } from "../../../src/model/weights/pickle-machine.ts";
import { call, dict, global, integer, list, pickle, PROTOCOL_2, STOP, text, tuple } from "../support/pickles.ts";

const sum = vi.fn<(args: readonly unknown[]) => number>((args) => (args as number[]).reduce((a, b) => a + b, 0));
const room: PickleRoom = {
  file: "weights.pth",
  globals: new Map<string, unknown>([
    ["ours.sum", sum],
    ["ours.name", "a value"],
  ]),
  persistent: (id) => ["stored", id],
};
const read = (...parts: readonly (string | Uint8Array)[]): unknown =>
  unpickle(pickle(PROTOCOL_2, ...parts, STOP), 0, room).value;

describe("values", () => {
  test.each([
    ["None", "N", null],
    ["True", "\x88", true],
    ["a byte", "K\xff", 255],
    ["two bytes", "M\x01\x02", 513],
    ["a negative number", "J\xfe\xff\xff\xff", -2],
    ["a long", "\x8a\x05\x00\x00\x00\x00\x01", 2 ** 32],
    ["a negative long", "\x8a\x01\xff", -1],
    ["a long of no bytes", "\x8a\x00", 0],
    ["a float, big-endian", "G\x3f\xf8\x00\x00\x00\x00\x00\x00", 1.5],
    ["a text of protocol 4", "\x8c\x02hi", "hi"],
    ["a text of Python 2", "U\x02hi", "hi"],
    ["an empty tuple", ")", []],
    ["a tuple of two", "K\x01K\x02\x86", [1, 2]],
    ["a list that grows", "]K\x01aK\x02a", [1, 2]],
  ])("%s", (_, opcodes, value) => {
    expect(read(opcodes)).toEqual(value);
  });

  test("nest, and are remembered", () => {
    expect(read(dict({ a: list(integer(1), text("ü")), b: tuple(integer(2)) }))).toEqual(
      new Map<string, unknown>([
        ["a", [1, "ü"]],
        ["b", [2]],
      ]),
    );
    const [first, second] = read("(", list(integer(7)), "q\x05h\x05t") as [unknown, unknown];
    expect(first).toEqual([7]);
    expect(second).toBe(first);
    // Protocol 4 numbers what it remembers by itself.
    expect(read("(\x8c\x01a\x94\x8c\x01b\x94h\x00h\x01t")).toEqual(["a", "b", "a", "b"]);
  });

  test("of a persistent id are what the room makes of it", () => {
    expect(read(text("key"), "Q")).toEqual(["stored", "key"]);
  });

  test("end where the pickle ends, so that another may follow", () => {
    const two = pickle(PROTOCOL_2, "K\x01.", PROTOCOL_2, "K\x02.");
    const first = unpickle(two, 0, room);
    expect(first).toEqual({ value: 1, end: 5 });
    expect(unpickle(two, first.end, room).value).toBe(2);
  });
});

describe("names", () => {
  test("of the room are values, and functions that can be called", () => {
    expect(read(global("ours", "name"))).toBe("a value");
    expect(read(call("ours", "sum", integer(2), integer(3)))).toBe(5);
    expect(read(text("ours"), text("sum"), "\x93", tuple(integer(4)), "R")).toBe(4);
  });

  test.each([
    ["os.system", call("os", "system", text("touch pwned"))],
    ["posix.system", pickle("(", text("touch pwned"), "iposix\nsystem\n")],
    ["builtins.eval", pickle(text("builtins"), text("eval"), "\x93", tuple(text("1")), "R")],
    ["builtins.getattr", pickle(global("builtins", "getattr"), ")\x81")],
    ["argparse.Namespace", pickle(global("argparse", "Namespace"))],
    ["ours.sum.__call__", global("ours", "sum.__call__")],
    ["__main__.constructor", global("__main__", "constructor")],
    ["two\\u001b[31m.lines", global("two\x1b[31m", "lines")],
  ])("not of the room are refused: %s", (name, opcodes) => {
    sum.mockClear();
    expect(() => read(opcodes)).toThrow(
      expect.objectContaining({
        code: "WEIGHTS_UNSAFE",
        message: `weights.pth asks for ${name}, which is no part of a tensor and could run code.`,
      }),
    );
    expect(sum).not.toHaveBeenCalled();
  });

  test("are texts: lists in their place are refused before they are made text", () => {
    const doubled = `]q\0${"](h\0h\0eq\0".repeat(40)}`;
    const deep = "]".repeat(60_000) + "a".repeat(59_999);
    expect(() => read(doubled, text("name"), "\x93")).toThrow("it names what is no text");
    expect(() => read(text("module"), deep, "\x93")).toThrow("it names what is no text");
  });

  test("of values cannot be called", () => {
    expect(() => read(call("ours", "name", integer(1)))).toThrow("it calls what is no function");
    expect(() => read(text("text"), ")R")).toThrow("it calls what is no function");
    expect(() => read(global("ours", "sum"), "K\x01R")).toThrow("it calls what is no function");
  });
});

test.each([
  ["nothing", "", "it ends in the middle"],
  ["half a number", "J\x01", "it ends in the middle"],
  ["a text of 4 GiB", "X\xff\xff\xff\xffabc", "it ends in the middle"],
  ["a name without its end", "cos\nsys", "it ends in the middle"],
  ["no value", ".", "it takes from an empty stack"],
  ["a mark that was never set", "t.", "it uses a mark that it never set"],
  ["a value that it does not have", "h\x09.", "it refers to a value 9 that it does not have"],
  ["a number that is filled", "K\x01K\x02a.", "it fills a container that is none"],
  ["a key without a value", "}(K\x01u.", "a dictionary has a key without a value"],
  ["state of a number", "K\x01}b.", "it fills a container that is none"],
  ["an extension", "\x82\x01.", "it has the opcode 0x82, which weights do not need"],
])("a pickle with %s is WEIGHTS_UNREADABLE", (_, opcodes, why) => {
  expect(() => unpickle(pickle(PROTOCOL_2, opcodes), 0, room)).toThrow(
    expect.objectContaining({
      code: "WEIGHTS_UNREADABLE",
      message: `weights.pth is not a readable PyTorch file: ${why}.`,
    }),
  );
});
