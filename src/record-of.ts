// Objects with names of their own choice: z.record drops the key `__proto__` without a word, and here it is refused.
import { z } from "zod";

/** As `z.record`. A request, or a setting, with such a key fails, and the sentence names the field. */
export function recordOf<Key extends z.ZodType<string, string>, Value extends z.ZodType>(
  key: Key,
  value: Value,
): z.ZodPreprocess<z.ZodRecord<Key, Value>> {
  const refuse = (input: unknown, { issues }: z.core.$RefinementCtx): unknown => {
    // A key may also become it, when it is trimmed for example.
    const isIt = (name: string): boolean => name === "__proto__" || key.safeParse(name).data === "__proto__";
    const name = typeof input === "object" && input !== null ? Object.keys(input).find(isIt) : undefined;
    if (name !== undefined)
      issues.push({ code: "custom", input, path: [name], message: '"__proto__" is a reserved name' });
    return input;
  };
  return z.preprocess(refuse, z.record(key, value));
}
