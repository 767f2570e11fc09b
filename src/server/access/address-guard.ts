// `forbidPrivateAddresses`: streams that came over the API may lead only to the public internet, whenever ffmpeg connects.
import type { Config } from "../../config.ts";
import { startCheckingProxy } from "../../pipeline/checking-proxy.ts";
import { checkedAddress, createPublicCheck, type Resolve } from "../../pipeline/public-address.ts";
import type { AddressRules } from "../../pipeline/source-input.ts";
import type { StreamConfig } from "../../pipeline/stream.ts";

export interface AddressGuard extends AddressRules {
  /** Idempotent. */
  close(): void;
}

export interface AddressGuardOptions {
  /** Those of the configuration as it is now, which may lead anywhere. */
  readonly trusted: () => readonly Pick<StreamConfig, "url">[];
  readonly isAllowed?: (address: string) => boolean;
  readonly resolve?: Resolve;
}

/** Nothing is checked where the setting is off. */
export async function startAddressGuard(
  config: Pick<Config, "forbidPrivateAddresses">,
  { trusted, isAllowed = createPublicCheck(), resolve }: AddressGuardOptions,
): Promise<AddressGuard | undefined> {
  if (!config.forbidPrivateAddresses) return undefined;
  const check = (host: string): Promise<string> => checkedAddress(host, isAllowed, resolve);
  const proxy = await startCheckingProxy(check);
  return {
    apply: (wanted) => !trusted().some((stream) => stream.url === wanted),
    check,
    proxyUrl: proxy.url,
    close: () => proxy.close(),
  };
}
