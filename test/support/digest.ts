// Digest authentication as cameras speak it: RFC 2617 with MD5 and without qop, one nonce for each connection.
import { createHash, randomBytes } from "node:crypto";

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** What the client is asked for: goes into `WWW-Authenticate`. */
export interface Challenge {
  readonly realm: string;
  readonly nonce: string;
}

export function newChallenge(realm: string): Challenge {
  return { realm, nonce: randomBytes(16).toString("hex") };
}

export function challengeHeader({ realm, nonce }: Challenge): string {
  return `Digest realm="${realm}", nonce="${nonce}"`;
}

/** Whether an `Authorization` header answers the challenge for this request, with these credentials. */
export function answersChallenge(
  header: string | undefined,
  challenge: Challenge,
  request: { readonly method: string; readonly url: string },
  { user, password }: Credentials,
): boolean {
  if (header === undefined || !/^digest\s/i.test(header)) return false;
  const given = new Map([...header.matchAll(/(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))/g)].map((m) => [m[1], m[2] ?? m[3]]));
  const { realm, nonce } = challenge;
  const response = md5(`${md5(`${user}:${realm}:${password}`)}:${nonce}:${md5(`${request.method}:${request.url}`)}`);
  return (
    given.get("username") === user &&
    given.get("realm") === realm &&
    given.get("nonce") === nonce &&
    given.get("uri") === request.url &&
    given.get("response") === response
  );
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
