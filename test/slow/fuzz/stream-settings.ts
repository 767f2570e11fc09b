// Settings of streams: each field now right, now at a limit, now of another type, now what a later layer could not bear.
import { fc } from "../../support/fast-check.ts";
import { SENT } from "./secrets.ts";

export type Settings = Readonly<Record<string, unknown>>;

/** What no field may have, or only some. */
const WILD: readonly unknown[] = [
  null,
  true,
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "line\nend",
  "\u001b[31m",
  "\ud800",
  "\u202e",
  "é".normalize("NFD"),
  "__proto__",
  "constructor",
  "-1",
  "1e309",
  "x".repeat(9000),
  0,
  -0,
  -1,
  0.5,
  1e308,
  -1e308,
  Number.MAX_SAFE_INTEGER + 2,
  Number.MIN_VALUE,
  [],
  [[]],
  [null],
  {},
  { a: 1 },
  { toString: "x" },
  JSON.parse('{"__proto__": {"minScore": 2}}'),
  Array.from({ length: 2000 }, () => "x"),
];

const from = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const label = from<unknown>(
  "person",
  "car",
  "no such label",
  "__proto__",
  "constructor",
  "x".repeat(64),
  "x".repeat(65),
  "a\u0000",
  "a\nb",
  "",
  7,
);
const share = from<unknown>(0, 0.5, 1, 1.0000001, -0.1, "0.5", 1e308);
const seconds = from<unknown>(0, 0.1, 1, 60, 86_400, 86_401, -1, 1e308, "1");
const point = fc.array(share, { minLength: 1, maxLength: 3 });
const zones = fc.array(fc.array(point, { minLength: 2, maxLength: 5 }), { maxLength: 3 });
const square = from(
  [
    [
      [0, 0],
      [1, 0],
      [1, 1],
    ],
  ],
  [
    [
      [0.1, 0.1],
      [0.9, 0.1],
      [0.9, 0.9],
      [0.1, 0.9],
    ],
  ],
);

const URLS = [
  "rtsp://127.0.0.1:9/x",
  `rtsp://user:${SENT}@127.0.0.1:9/x`,
  "rtsp://127.0.0.1:9/\u0000",
  "rtsp://127.0.0.1:99999/x",
  "rtsp://[::1/x",
  "rtsp://",
  "rtsp:/x",
  "http://127.0.0.1:9/a b",
  "http://127.0.0.1:9/%00",
  "http://127.0.0.1:9/\r\nX: y",
  "file:///etc/passwd",
  "/etc/passwd",
  "../../etc/passwd",
  "concat:/etc/passwd|/etc/hosts",
  "-i",
  "data:text/plain,x",
  `http://127.0.0.1:9/${"x".repeat(9000)}`,
  "rtsp://127.0.0.1:9/\ud800",
];

/** By field: what may be right. */
const FIELDS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  url: from<unknown>(...URLS),
  loop: fc.boolean(),
  transport: from<unknown>("tcp", "udp", "TCP", "sctp"),
  maxFps: from<unknown>(0.01, 1, 240, 241, 0, "5"),
  priority: from<unknown>(1, 10, 11, 0, 1.5, "2"),
  model: from<unknown>(
    "ssdlite-mobilenet-v2",
    "ssdlite-mobilenet-v2@1",
    "no-such-model",
    "../x",
    "/etc",
    "a@b@c",
    "x".repeat(1025),
  ),
  labels: fc.array(label, { maxLength: 4 }),
  minScore: share,
  limits: fc.dictionary(
    from("person", "car", "__proto__", "constructor", "a\u0000"),
    fc.record({ minScore: share, minSize: share, maxSize: share, more: share }, { requiredKeys: [] }),
    { maxKeys: 3 },
  ),
  include: fc.oneof(square, zones),
  exclude: fc.oneof(square, zones),
  capture: fc.record(
    {
      everySeconds: seconds,
      score: fc.record({ from: share, to: share }),
      labels: fc.array(label, { maxLength: 3 }),
      countChanges: fc.boolean(),
      share,
      minGapSeconds: seconds,
      skipSimilar: from<unknown>(0, 4, 64, 65, 1.5),
    },
    { requiredKeys: [] },
  ),
  paused: fc.boolean(),
};

export const FIELD_NAMES: readonly string[] = Object.keys(FIELDS);

/** `count` settings of one to four fields each, besides a URL that is right and a name. */
export function fuzzStreamSettings(count: number, seed: number): Settings[] {
  const field = from(...FIELD_NAMES, "unknown\u0007", "__proto__");
  const entry = field.chain((name) =>
    fc.tuple(
      fc.constant(name),
      fc.oneof(
        { weight: 3, arbitrary: Object.hasOwn(FIELDS, name) ? FIELDS[name]! : from(...WILD) },
        { weight: 1, arbitrary: from(...WILD) },
      ),
    ),
  );
  const settings = fc
    .uniqueArray(entry, { minLength: 1, maxLength: 4, selector: ([name]) => name })
    .map((entries) => Object.fromEntries([["url", "rtsp://127.0.0.1:9/x"], ...entries]));
  return fc.sample(settings, { numRuns: count, seed });
}
