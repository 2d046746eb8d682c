// What a parameter accepts, read from its JSON Schema.
import type { Schema } from "../service/types";

export type FieldKind =
  | { kind: "flag" }
  | { kind: "choice"; values: (string | number)[] }
  | { kind: "number"; whole: boolean; min?: number; max?: number }
  | { kind: "text" }
  /** Lists, objects and unions: the field takes a word or a number as it is, and everything else as JSON. */
  | { kind: "json" };

export interface FieldShape {
  shape: FieldKind;
  nullable: boolean;
}

/** Return how to ask for a parameter. `schema` is the method's whole schema, which holds what `$ref` names. */
export function fieldOf(parameter: Schema, schema: Schema): FieldShape {
  const resolved = resolve(parameter, schema);
  const options = (resolved.anyOf ?? [resolved]).map((each) => resolve(each, schema));
  const others = options.filter((each) => each.type !== "null");
  const nullable = others.length < options.length;
  return { nullable, shape: others.length === 1 ? shapeOf(others[0]!) : { kind: "json" } };
}

function shapeOf(option: Schema): FieldKind {
  if (option.enum) return { kind: "choice", values: option.enum as (string | number)[] };
  switch (option.type) {
    case "boolean":
      return { kind: "flag" };
    case "integer":
    case "number":
      return {
        kind: "number",
        whole: option.type === "integer",
        min: option.minimum ?? option.exclusiveMinimum,
        max: option.maximum ?? option.exclusiveMaximum,
      };
    case "string":
      return { kind: "text" };
    default:
      return { kind: "json" };
  }
}

function resolve(schema: Schema, whole: Schema): Schema {
  if (!schema.$ref) return schema;
  const name = schema.$ref.split("/").at(-1)!;
  return { ...whole.$defs?.[name], ...schema, $ref: undefined };
}

/** Return the value that somebody typed into a field of the kind `json`: JSON if it is some, and else the words. */
export function typedValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Return a value as the text of a field. */
export function asText(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
