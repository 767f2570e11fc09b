// Which addresses the world can reach, and names checked against them: a stream's URL must not lead into our own network.
import { lookup } from "node:dns/promises";
import { BlockList, isIP, isIPv6 } from "node:net";
import { MultiboxError } from "../errors.ts";

/** All addresses of a name, as the system's resolver gives them. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** What is of special use, by IANA's registries: private, loopback, link-local, shared, multicast, documentation, and so on. */
const SPECIAL_IPV4 =
  "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 " +
  "192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4";
/** Within 2000::/3, which alone is public; 2001::/23 and 2002::/16 carry IPv4 addresses that could be anything. */
const SPECIAL_IPV6 = "2001::/23 2001:db8::/32 2002::/16 3fff::/20";

/** Whether an address, without brackets, is one that the public internet routes. */
export function createPublicCheck(): (address: string) => boolean {
  const special = new BlockList();
  const global = new BlockList();
  const add = (list: BlockList, networks: string, family: "ipv4" | "ipv6"): void => {
    for (const network of networks.split(" ")) {
      const [address, bits] = network.split("/") as [string, string];
      list.addSubnet(address, Number(bits), family);
    }
  };
  add(special, SPECIAL_IPV4, "ipv4");
  add(special, SPECIAL_IPV6, "ipv6");
  add(global, "2000::/3", "ipv6");
  return (address) => {
    const plain = address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");
    if (isIP(plain) === 0) return false;
    if (!isIPv6(plain)) return !special.check(plain, "ipv4");
    return global.check(plain, "ipv6") && !special.check(plain, "ipv6");
  };
}

export const resolveHost: Resolve = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

/**
 * An address of the host that may be connected to: every address of a name must be allowed, since it is not ours to
 * choose which one is taken. Fails with ADDRESS_FORBIDDEN or HOST_UNKNOWN.
 */
export async function checkedAddress(
  host: string,
  isAllowed: (address: string) => boolean,
  resolve: Resolve = resolveHost,
): Promise<string> {
  const name = host.replace(/^\[(.*)\]$/, "$1");
  const addresses = isIP(name) === 0 ? await resolve(name).catch(unknown(name)) : [name];
  const forbidden = addresses.find((address) => !isAllowed(address));
  if (forbidden === undefined && addresses.length > 0) return addresses[0]!;
  if (forbidden === undefined) return unknown(name)();
  throw new MultiboxError(
    "ADDRESS_FORBIDDEN",
    `The host "${name}" ${forbidden === name ? "is" : `has the address ${forbidden}, which is`} not on the public internet.`,
    "This server takes only public addresses over the API (setting `forbidPrivateAddresses`); give such a stream in its configuration.",
  );
}

function unknown(name: string): (cause?: unknown) => never {
  return (cause) => {
    throw new MultiboxError("HOST_UNKNOWN", `The host "${name}" has no address.`, "Check its name.", { cause });
  };
}
