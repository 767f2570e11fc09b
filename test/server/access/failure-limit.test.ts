// Guessers: how many wrong attempts an address has, how they come back, and how much is remembered.
import { expect, test } from "vitest";
import { FailureLimit } from "../../../src/server/access/failure-limit.ts";
import { steady } from "../../../src/steady-scheduler.ts";

const isLimited = (limit: FailureLimit, address: string): boolean => {
  try {
    limit.check(address);
    return false;
  } catch (error) {
    expect(error).toMatchObject({ code: "TOO_MANY_FAILURES" });
    return true;
  }
};

test("so many wrong attempts in a row, then one each time that the bucket has filled by one", () => {
  let now = 0;
  const limit = new FailureLimit({ attempts: 3, refillMs: 6000, clock: steady({ now: () => now }) });
  for (let attempt = 0; attempt < 3; attempt++) {
    limit.check("192.0.2.1");
    limit.fail("192.0.2.1");
  }
  expect(() => limit.check("192.0.2.1")).toThrow(expect.objectContaining({ retryAfter: 6 }));
  expect(isLimited(limit, "192.0.2.2")).toBe(false);
  now = 5999;
  expect(isLimited(limit, "192.0.2.1")).toBe(true);
  now = 6000;
  expect(isLimited(limit, "192.0.2.1")).toBe(false);
  limit.fail("192.0.2.1");
  expect(isLimited(limit, "192.0.2.1")).toBe(true);
  now = 1_000_000;
  for (let attempt = 0; attempt < 3; attempt++) limit.fail("192.0.2.1");
  expect(isLimited(limit, "192.0.2.1")).toBe(true);
});

test("whoever changes the lower half of an IPv6 address is still the same", () => {
  const limit = new FailureLimit({ attempts: 1, clock: steady({ now: () => 0 }) });
  limit.fail("2001:db8::1");
  expect(isLimited(limit, "2001:db8:0:0:ffff::2")).toBe(true);
  expect(isLimited(limit, "2001:db8:0:1::1")).toBe(false);
  limit.fail("fe80::1%eth0");
  expect(isLimited(limit, "fe80::2%eth1")).toBe(true);
});

test("a flood of addresses is remembered up to a bound, the newest of it", () => {
  const limit = new FailureLimit({ attempts: 1, maxAddresses: 100, clock: steady({ now: () => 0 }) });
  for (let i = 0; i < 5000; i++) limit.fail(`10.0.${i >> 8}.${i & 255}`);
  expect(limit.size).toBe(100);
  expect(isLimited(limit, "10.0.19.135")).toBe(true);
  expect(isLimited(limit, "10.0.0.1")).toBe(false);
});
