// A JSON schema of /openapi.json in a few words, for the page that shows it.

/** The part of JSON schema that zod's schemas become. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly format?: string;
}

/** `integer, 64 to 1920`. */
export function typeOf(schema: Schema): string {
  const name = schema.$ref?.split("/").at(-1);
  if (name) return name;
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return either.map(typeOf).join(" or ");
  if (schema.allOf) return schema.allOf.map(typeOf).join(" and ");
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.prefixItems) return `[${schema.prefixItems.map(typeOf).join(", ")}]`;
  const fallback = schema.default === undefined ? "" : `, ${JSON.stringify(schema.default)} when absent`;
  return `${kindOf(schema)}${boundsOf(schema)}${fallback}`;
}

/** The component that a schema is, or is a list of. */
export function nameOf(schema: Schema): string | undefined {
  return (schema.$ref ?? schema.items?.$ref)?.split("/").at(-1);
}

/** The fields of an object, or of the objects in a list; those of objects within follow with a dot. */
export function fieldsOf(schema: Schema): { name: string; needed: boolean; field: Schema }[] {
  const { properties, required = [] } = schema.items?.properties ? schema.items : schema;
  return Object.entries(properties ?? {}).flatMap(([name, field]) => [
    { name, needed: required.includes(name), field },
    ...(field.properties ? fieldsOf(field).map((inner) => ({ ...inner, name: `${name}.${inner.name}` })) : []),
  ]);
}

function kindOf({ type, items, additionalProperties, format }: Schema): string {
  const kinds = (typeof type === "string" ? [type] : (type ?? ["anything"])).map((kind) => {
    if (kind === "array" && items) return `list of ${typeOf(items)}`;
    if (kind === "object" && typeof additionalProperties === "object") return `${typeOf(additionalProperties)} by name`;
    return kind === "string" ? (format === "binary" ? "bytes" : "text") : kind;
  });
  return kinds.join(" or ");
}

function boundsOf(schema: Schema): string {
  const [low, high] = [
    schema.minimum ?? schema.minLength ?? schema.minItems,
    schema.maximum ?? schema.maxLength ?? schema.maxItems,
  ];
  const unit = schema.minLength !== undefined || schema.maxLength !== undefined ? " characters" : "";
  if (low !== undefined && high !== undefined) return `, ${low} to ${high}${unit}`;
  if (low !== undefined) return `, at least ${low}${unit}`;
  return high === undefined || high >= Number.MAX_SAFE_INTEGER ? "" : `, at most ${high}${unit}`;
}
