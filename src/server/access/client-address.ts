// Whose address a request counts against: the one that connected, or, behind a proxy of ours, the one that the proxy names.
import { BlockList, isIP, isIPv6 } from "node:net";
import { z } from "zod";

/** An address, `192.0.2.7`, or a network, `10.0.0.0/8`. */
export const Network = z
  .string()
  .refine((text) => parse(text) !== undefined, "must be an address or a network such as 10.0.0.0/8");

export function createNetworks(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const { address, bits, family } of networks.map(parse).filter((network) => network !== undefined))
    list.addSubnet(address, bits, family);
  return list;
}

/**
 * `remote` is the socket's, `forwarded` the header X-Forwarded-For, to which each proxy adds whom it heard from: the last
 * one that is no proxy of ours is the client, and what stands before it may be invented.
 */
export function clientAddress(remote: string | undefined, forwarded: string | undefined, proxies: BlockList): string {
  const hops = (forwarded ?? "").split(",").map((hop) => plainAddress(hop.trim()));
  let address = plainAddress(remote ?? "");
  while (isOneOf(proxies, address)) {
    const before = hops.pop();
    if (before === undefined || isIP(before) === 0) break;
    address = before;
  }
  return address;
}

/** Whether an address, without brackets or port, is in one of the networks. */
export function isOneOf(networks: BlockList, address: string): boolean {
  return isIP(address) !== 0 && networks.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

/** A server on `::` hears IPv4 as `::ffff:192.0.2.7`; it is the same address. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
}

function parse(text: string): { address: string; bits: number; family: "ipv4" | "ipv6" } | undefined {
  const [address = "", bits, ...rest] = text.split("/");
  const version = isIP(address);
  const all = version === 6 ? 128 : 32;
  const wanted = bits === undefined ? all : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
  if (version === 0 || rest.length > 0 || wanted < 0 || wanted > all) return undefined;
  return { address, bits: wanted, family: version === 6 ? "ipv6" : "ipv4" };
}
