// One annotation file of PASCAL VOC: from its bytes to a size and objects, or a sentence with the field and its value.
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { z } from "zod";
import { labelText } from "../model/label-text.ts";
import { decodeXml } from "./decode-text.ts";
import { invalidDataset } from "./object-check.ts";

const quoted = (value: unknown): string => (value === undefined ? "it is missing" : `${shown(value)} is there`);
const shown = (value: unknown): string => JSON.stringify(value).slice(0, 100);

/** Decimal digits; no hexadecimal, no empty text, which `Number` would take. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

const number = z
  .string({ error: ({ input }) => `${quoted(input)}, and it must be a number` })
  .refine((text) => NUMBER.test(text), { error: ({ input }) => `${shown(input)} is not a number` })
  .transform(Number)
  .refine(Number.isFinite, { error: ({ input }) => `${shown(input)} is too large` });

const side = number.refine((value) => Number.isSafeInteger(value) && value > 0, {
  error: ({ input }) => `${shown(input)} is not a number of pixels`,
});

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "1.0", "true", "yes"].map((text) => [text, true] as const),
  ...["", "0", "0.0", "false", "no"].map((text) => [text, false] as const),
]);

/** 0 where it is absent or empty, as in VOC2007's own files. */
const flag = z
  .string({ error: ({ input }) => `${quoted(input)}, and it must be 0 or 1` })
  .default("")
  .refine((text) => FLAGS.has(text.toLowerCase()), { error: ({ input }) => `${shown(input)} is neither 0 nor 1` })
  .transform((text) => FLAGS.get(text.toLowerCase())!);

const text = z
  .string({ error: ({ input }) => `${quoted(input)}, and it must be a text` })
  .min(1, { error: "it is empty" });

const group = <Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape> =>
  z.object(shape, { error: ({ input }) => `${quoted(input)}, and it must have ${Object.keys(shape).join(", ")}` });

const VocFile = group({
  annotation: group({
    filename: z.string().optional().catch(undefined),
    size: group({ width: side, height: side }),
    object: z
      .array(
        group({
          name: text.overwrite(labelText).min(1, { error: "it is empty" }),
          difficult: flag,
          bndbox: group({ xmin: number, ymin: number, xmax: number, ymax: number }),
        }),
      )
      .default([]),
  }),
});
export type VocAnnotation = z.infer<typeof VocFile>["annotation"];

const HINT = "It must be an annotation as PASCAL VOC writes them.";

/** Fails with DATASET_INVALID. */
export function parseVocAnnotation(bytes: Uint8Array, path: string): VocAnnotation {
  const decoded = decodeXml(bytes);
  if ("problem" in decoded)
    throw invalidDataset(path, decoded.problem, 'Save it as UTF-8, or correct encoding="..." in its first line.');
  const xml = decoded.text;
  // The parser itself reads over a file that ends in the middle.
  const whole = XMLValidator.validate(xml);
  if (whole !== true)
    throw invalidDataset(path, `it is not whole XML (line ${whole.err.line}: ${whole.err.msg})`, "Fetch it again.");
  const parsed = VocFile.safeParse(parseXml(xml, path));
  if (!parsed.success) {
    const { path: keys, message } = parsed.error.issues[0]!;
    throw invalidDataset(path, `${keys.join(".")}: ${message}`, HINT);
  }
  const { annotation } = parsed.data;
  for (const [i, { name }] of annotation.object.entries()) requireDecoded(name, xml, `${path}, object ${i + 1}`);
  return annotation;
}

function parseXml(xml: string, path: string): unknown {
  // Blanks around a value are layout, as long as they are not written as references.
  const options = { parseTagValue: false, htmlEntities: true, isArray: (name: string) => name === "object" };
  try {
    return new XMLParser(options).parse(xml);
  } catch (cause) {
    throw invalidDataset(path, `it cannot be read (${String(cause).slice(0, 200)})`, HINT, cause);
  }
}

/** A reference that XML does not know, and whose meaning could only be guessed, stays as it is written. */
function requireDecoded(name: string, xml: string, where: string): void {
  const plain = xml.replaceAll(/<!\[CDATA\[.*?\]\]>/gs, "");
  const unknown = name.match(/&[^\s;&<]+;/g)?.find((reference) => plain.includes(reference));
  if (unknown === undefined) return;
  throw invalidDataset(where, `the entity ${unknown} in its name is unknown`, "Write the letter itself.");
}
