// What a parameter accepts, read from its JSON Schema.
import type { Schema } from "../service/types";

export type Word = string | number | boolean;

export type FieldKind =
  | { kind: "flag" }
  | { kind: "choice"; values: Word[] }
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
  if (others.length === 1) return { nullable, shape: shapeOf(others[0]!) };
  const words = others.map(wordsOf);
  return { nullable, shape: words.every((each) => each !== null) ? { kind: "choice", values: words.flat() } : { kind: "json" } };
}

/** Return all values of an option that has only few, and null for any other. */
function wordsOf(option: Schema): Word[] | null {
  if (option.enum) return option.enum as Word[];
  if (option.const !== undefined) return [option.const as Word];
  return option.type === "boolean" ? [true, false] : null;
}

function shapeOf(option: Schema): FieldKind {
  if (option.enum || option.const !== undefined) return { kind: "choice", values: wordsOf(option)! };
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
