// Errors as users read them.
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { MultiboxError, sentenceOf, systemCode } from "../src/errors.ts";

const full = new MultiboxError("DISK_FULL", "There is no space left in /cache.", "Free about 100 MB.");

describe("a MultiboxError", () => {
  test("reads as code, sentence, and what to do", () => {
    expect(String(full)).toBe("DISK_FULL: There is no space left in /cache. Free about 100 MB.");
    expect(full.message).toBe("There is no space left in /cache.");
  });

  test("has no blank at its end without a hint", () => {
    expect(String(new MultiboxError("ODD", "It is odd."))).toBe("ODD: It is odd.");
  });

  test("keeps what it was caused by", () => {
    const cause = new Error("below");
    expect(new MultiboxError("ODD", "It is odd.", "", { cause }).cause).toBe(cause);
  });
});

test("the sentence of anything that was thrown is its own, with a code where it has one", () => {
  expect(sentenceOf(full)).toBe(String(full));
  expect(sentenceOf(new TypeError("not a function"))).toBe("not a function");
  expect(sentenceOf("thrown text")).toBe("thrown text");
  expect(sentenceOf(undefined)).toBe("undefined");
});

test("the code of a system call is found, and of nothing else", async () => {
  const missing: unknown = await readFile("/no/such/file").catch((error: unknown) => error);
  expect(systemCode(missing)).toBe("ENOENT");
  expect(systemCode(new Error("plain"))).toBeUndefined();
  expect(systemCode({ code: "ENOENT" })).toBeUndefined();
  expect(systemCode(Object.assign(new Error("numbered"), { code: 5 }))).toBeUndefined();
});
