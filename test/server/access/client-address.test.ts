// Whose address a request counts against, with and without proxies in front.
import { describe, expect, test } from "vitest";
import { clientAddress, createNetworks, Network } from "../../../src/server/access/client-address.ts";

const proxies = createNetworks(["127.0.0.1", "10.0.0.0/8", "fd00::/8"]);

test.each([
  ["192.0.2.7", undefined, "192.0.2.7"],
  ["::ffff:192.0.2.7", undefined, "192.0.2.7"],
  // Not of a proxy of ours: what it says of others is not believed.
  ["192.0.2.7", "198.51.100.1", "192.0.2.7"],
  ["127.0.0.1", "198.51.100.1", "198.51.100.1"],
  ["::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"],
  // The client has invented the first one.
  ["127.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"],
  ["127.0.0.1", "198.51.100.1, 10.1.2.3", "198.51.100.1"],
  ["fd00::1", "2001:db8::1", "2001:db8::1"],
  ["127.0.0.1", "nonsense", "127.0.0.1"],
  ["127.0.0.1", "10.0.0.1", "10.0.0.1"],
  [undefined, undefined, ""],
])("from %s, which says it forwards for %s, it is %s", (remote, forwarded, address) => {
  expect(clientAddress(remote, forwarded, proxies)).toBe(address);
});

describe("networks in the settings", () => {
  test.each(["127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8"])("%s is one", (text) => {
    expect(Network.safeParse(text).success).toBe(true);
  });
  test.each(["", "proxy", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/x", "::/129"])(
    "%j is none",
    (text) => {
      expect(Network.safeParse(text).success).toBe(false);
    },
  );
});
