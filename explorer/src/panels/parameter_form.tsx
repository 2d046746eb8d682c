// A form for the parameters of a method, made from the JSON Schema that the service gives.
import type { Fault } from "../service/problem";
import type { Method, Params, Schema } from "../service/types";
import { modelDetail } from "../state/catalog";
import { Described } from "./described";
import { asText, fieldOf, typedValue } from "../words/schema";

// The answer sets the class. The other panels set the image, and the page draws with its own colours.
const ELSEWHERE = ["class_index", "target", "images"];
const SELDOM = [
  "fit", "bands", "input", "precision", "output", "sign", "frames", "colormap", "alpha", "columns", "augment", "fuse", "clip", "smooth", "annotate",
];

interface FormProps {
  method: Method;
  params: Params;
  change: (params: Params) => void;
  fault: Fault | null;
}

export function ParameterForm(props: FormProps) {
  const names = Object.keys(props.method.parameters.properties ?? {}).filter((name) => !ELSEWHERE.includes(name));
  const seldom = names.filter((name) => SELDOM.includes(name));
  const often = names.filter((name) => !SELDOM.includes(name));
  return (
    <div class="parameters">
      {often.map((name) => <Field key={name} name={name} {...props} />)}
      {seldom.length > 0 && (
        <details>
          <summary>{seldom.length} more parameters</summary>
          {seldom.map((name) => <Field key={name} name={name} {...props} />)}
        </details>
      )}
      <datalist id="layer-paths">
        {modelDetail.value?.layers.filter((each) => each.output_shape?.length === 3).map((each) => <option key={each.path} value={each.path} />)}
      </datalist>
    </div>
  );
}

function Field({ name, method, params, change, fault }: FormProps & { name: string }) {
  const schema = method.parameters.properties![name]!;
  const wrong = fault?.fields.find((each) => each.pointer?.startsWith(`/params/${name}`));
  const id = `${method.name}-${name}`;
  const set = (value: unknown) => {
    const { [name]: _, ...others } = params;
    change(value === undefined ? others : { ...others, [name]: value });
  };
  return (
    <div class={wrong ? "field wrong" : "field"}>
      <label for={id}>{name.replaceAll("_", " ")}</label>
      <Input id={id} name={name} schema={schema} whole={method.parameters} value={params[name]} set={set} invalid={Boolean(wrong)} />
      <p class="small" id={`${id}-hint`}><Described text={schema.description} /></p>
      {wrong && <p class="small wrong-words" role="alert">{wrong.detail}{wrong.nearest?.length ? ` Nearest: ${wrong.nearest.join(", ")}.` : ""}</p>}
    </div>
  );
}

interface InputProps {
  id: string;
  name: string;
  schema: Schema;
  whole: Schema;
  value: unknown;
  set: (value: unknown) => void;
  invalid: boolean;
}

function Input({ id, name, schema, whole, value, set, invalid }: InputProps) {
  const { shape } = fieldOf(schema, whole);
  const shared = { id, "aria-describedby": `${id}-hint`, "aria-invalid": invalid };
  const otherwise = schema.default === undefined || schema.default === null ? "automatic" : asText(schema.default);
  switch (shape.kind) {
    case "flag":
      return <input type="checkbox" {...shared} checked={Boolean(value ?? schema.default)} onChange={(event) => set(event.currentTarget.checked)} />;
    case "choice":
      return (
        <select
          {...shared}
          value={asText(value)}
          onChange={(event) => set(event.currentTarget.value === "" ? undefined : shape.values.find((each) => String(each) === event.currentTarget.value))}
        >
          <option value="">{otherwise} (default)</option>
          {shape.values.map((each) => <option key={String(each)} value={String(each)}>{String(each)}</option>)}
        </select>
      );
    case "number":
      return (
        <input
          type="number"
          {...shared}
          min={shape.min}
          max={shape.max}
          step={shape.whole ? 1 : "any"}
          placeholder={otherwise}
          value={asText(value)}
          onInput={(event) => set(event.currentTarget.value === "" ? undefined : Number(event.currentTarget.value))}
        />
      );
    default: {
      const read = shape.kind === "json" ? typedValue : (text: string) => text;
      return (
        <input
          type="text"
          {...shared}
          list={name === "layer" ? "layer-paths" : undefined}
          placeholder={otherwise}
          value={asText(value)}
          spellcheck={false}
          onChange={(event) => set(event.currentTarget.value.trim() === "" ? undefined : read(event.currentTarget.value.trim()))}
        />
      );
    }
  }
}
