// Takes secrets out of URLs, and out of text that may quote one: the only place that knows where a URL can hold a secret.

const MASK = "***";

/** Names of query or path parameters whose values are secrets, decoded and in lower case. */
const SECRET_NAME =
  /pass|pwd|psw|pas$|token|secret|signature|credential|auth(?!or)|session|ticket|hmac|hdn(?:ts|ea)|key$|(?:^|[^a-z0-9])(?:pw|pin|sid|sig|sign|sas|jwt|hash|cred)$/;
/** `name=` wherever it stands: in a query, in a path (`/user=admin&password=x`), also percent-encoded. */
const NAME = /((?:[\w.$[\]-]|%(?!3d)[0-9a-f]{2})+)(?:=|%3d)/giy;
const NAME_START = /[\w.$[\]%-]/;
/** What ends a value within a URL: only a parameter that follows, as passwords are written with any other sign in them. */
const NEXT_PARAMETER = /(?:&|%26)(?=[^&=]*(?:=|%3d))|_(?=[a-z]+=)/i;

/**
 * The URL without user name and password, and with `***` for secrets in its query or path: for logs, messages and answers.
 * Passwords are often written with `@ : / #` in them, unescaped, so the user info ends at the last `@` that is not part of another secret;
 * only a URL that cannot have one is left whole. What is no URL because of a slip (`rtsp:/`, `user:password@host`, a blank in front) may hold
 * a password all the same.
 */
export function redactUrl(url: string): string {
  const found = userInfoIn(url);
  if (found?.unclear) return url.slice(0, found.start) + MASK;
  const rest = found ? url.slice(0, found.start) + url.slice(found.end + 1) : url;
  return maskParameters(rest, (after) => NEXT_PARAMETER.exec(after)?.index ?? after.length);
}

/** Whether a secret of this URL was replaced: it is what somebody has read here, and connects to nothing. */
export function isRedacted(url: string): boolean {
  return parametersIn(url).some(({ value }) => value === MASK);
}

/** Takes every trace of the URL's secrets out of a text, a line of ffmpeg's for example, and every other secret that is known by its form. */
export function redactText(text: string, url: string): string {
  const clear = secretsIn(url).reduce(
    // A short one may be a part of any word.
    (rest, secret) => (secret.length < 4 ? replaceWord(rest, secret) : rest.replaceAll(secret, MASK)),
    text,
  );
  return redactSecrets(clear);
}

/** Takes out what is a secret by its form: `scheme://user:password@`, `password=...`. For text that quotes unknown URLs. */
export function redactSecrets(text: string): string {
  const withoutUsers = text.includes("://") ? text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s"'<>/?#]*@/gi, "$1") : text;
  return maskParameters(withoutUsers, (after) => END_IN_TEXT.exec(after)?.index ?? after.length);
}

const END_IN_TEXT = /(?:&|%26)(?=[^&=\s]*(?:=|%3d))|_(?=[a-z]+=)|[:.,;]?(?:[\s"'<>()\\]|$)/i;

/** Every string in a value, as `redactSecrets` has it. Errors become their descriptions. */
export function redactDeep(value: unknown): unknown {
  if (typeof value === "string") return redactSecrets(value);
  if (Array.isArray(value)) return value.map(redactDeep);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactDeep(inner)]));
}

interface Parameter {
  /** Of the value. */
  readonly start: number;
  readonly end: number;
  readonly value: string;
}

/** `endOf` gives the length of the value that a text begins with. */
function secretParameters(text: string, endOf: (after: string) => number): Parameter[] {
  const found: Parameter[] = [];
  let at = 0;
  while (at < text.length) {
    if (!NAME_START.test(text[at]!)) {
      at += 1;
      continue;
    }
    NAME.lastIndex = at;
    const match = NAME.exec(text);
    if (!match) {
      while (at < text.length && NAME_START.test(text[at]!)) at += 1;
      continue;
    }
    at += match[0].length;
    if (!SECRET_NAME.test(decoded(match[1]!).toLowerCase())) continue;
    const end = at + endOf(text.slice(at));
    if (end > at) found.push({ start: at, end, value: text.slice(at, end) });
    at = Math.max(end, at);
  }
  return found;
}

function maskParameters(text: string, endOf: (after: string) => number): string {
  if (!/=|%3d/i.test(text)) return text;
  let clear = "";
  let from = 0;
  for (const { start, end } of secretParameters(text, endOf)) {
    clear += text.slice(from, start) + MASK;
    from = end;
  }
  return clear + text.slice(from);
}

const parametersIn = (url: string): Parameter[] =>
  secretParameters(url, (after) => NEXT_PARAMETER.exec(after)?.index ?? after.length);

/** All that must not be seen of a URL, in all forms, the longest first. */
function secretsIn(url: string): string[] {
  const found = userInfoIn(url);
  const userInfo = found ? url.slice(found.start, found.end) : "";
  const values = parametersIn(url).map(({ value }) => value);
  const whole = found || values.length > 0 ? [url] : [];
  const plain = [userInfo.slice(userInfo.indexOf(":") + 1), ...values];
  // ffmpeg quotes parts of a URL, such as what follows its last slash.
  const parts = plain.flatMap((secret) => [secret, decoded(secret)].flatMap((form) => form.split(/[/?#&@:]/)));
  const long = parts.filter((part) => part.length > 2);
  const forms = [...plain, ...long].flatMap((secret) => [secret, ...otherForms(secret)]);
  const all = [...new Set([...whole, userInfo, ...forms])].filter((secret) => secret !== "" && secret !== MASK);
  return all.toSorted((a, b) => b.length - a.length);
}

interface UserInfo {
  readonly start: number;
  /** Of the `@` that ends it. */
  readonly end: number;
  /** It may as well be the value of a parameter. */
  readonly unclear: boolean;
}

/** Where a URL's user info is. */
function userInfoIn(url: string): UserInfo | undefined {
  const scheme = /[a-z][a-z0-9+.-]*:\/\//i.exec(url) ?? /^\s*(?:rtsps?|https?):\/?/i.exec(url);
  const start = scheme ? scheme.index + scheme[0].length : 0;
  const authority = url.slice(start).split(/[/?#]/, 1)[0]!;
  const canHaveOne = scheme ? /[@:]/.test(authority) : authority.includes(":") && !/^[a-z]:\\/i.test(url);
  const last = canHaveOne ? url.lastIndexOf("@") : -1;
  if (last >= start) {
    const parameter = parametersIn(url).find((one) => one.start > start + authority.length);
    if (!parameter || parameter.start > last) return { start, end: last, unclear: false };
    // The last `@` is in a secret, unless the secret is in the user info.
    const before = url.lastIndexOf("@", parameter.start);
    if (before >= start) return { start, end: before, unclear: false };
    if (!/^(\[[\da-f:.]+\]|[^:]*):\d*$/i.test(authority)) return { start, end: last, unclear: false };
    return /[.[]/.test(authority) ? undefined : { start, end: last, unclear: true };
  }
  // One may stand in another: `concat://rtsp://user:password@host`.
  const inner = scheme && url.includes("://", start) ? userInfoIn(url.slice(start)) : undefined;
  return inner && { ...inner, start: start + inner.start, end: start + inner.end };
}

function replaceWord(text: string, word: string): string {
  const literal = word.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
  return text.replaceAll(new RegExp(`(?:(?<![A-Za-z0-9])|(?<=%[\\dA-Fa-f]{2}))${literal}(?![A-Za-z0-9])`, "g"), MASK);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Half of a surrogate pair cannot be encoded, and a lone % cannot be decoded. */
function otherForms(text: string): string[] {
  const json = (plain: string): string => JSON.stringify(plain).slice(1, -1);
  // Codes stay what they are, and the rest is encoded: as ffmpeg is given it.
  const mixed = (plain: string): string =>
    plain.replace(/%[0-9a-f]{2}|[^%]+|%/gi, (part) => (/^%./.test(part) ? part : encodeURIComponent(part)));
  return [encodeURIComponent, encodeURI, decodeURIComponent, mixed, json].flatMap((form) => {
    try {
      return [form(text)];
    } catch {
      return [];
    }
  });
}
