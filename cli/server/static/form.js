// The options of a model as a form, made of the fields that the server describes.
import { element } from "./elements.js";

let made = 0;

export class OptionsForm {
  constructor(model) {
    this.model = model;
    this.inputs = new Map();
    this.controls = new Map(); // the element of each field by its name
    const groups = new Map();
    for (const field of model.fields) {
      if (field.kind === "mask") continue; // the editor makes it
      if (field.kind === "points") continue; // drawn over the result
      if (!groups.has(field.group)) groups.set(field.group, element("div", { className: "fields" }));
      groups.get(field.group).append(this.#field(field));
    }
    this.element = element("details", { open: false }, element("summary", { textContent: model.name }));
    for (const [heading, fields] of groups) {
      if (heading === "output") this.element.append(element("h3", { text: "output" }));
      else if (heading) this.element.append(element("h3", { textContent: heading }));
      this.element.append(fields);
    }
  }

  get masks() {
    return this.model.fields.filter((field) => field.kind === "mask").map((field) => field.name);
  }

  // Adds what was changed to the data of a request.
  fill(data) {
    for (const [field, read] of this.inputs) {
      const value = read();
      if (value === null) continue;
      for (const one of Array.isArray(value) ? value : [value]) data.append(field.name, one);
    }
  }

  #field(field) {
    const id = `field-${++made}`;
    const help = element("small", { id: `${id}-help`, textContent: field.help });
    const title = field.name.replaceAll("_", " ");
    const input = this.#input(field, id);
    this.controls.set(field.name, input);
    if (field.kind === "choices") return element("div", { className: "field" }, input, help);
    const label = element("label", { htmlFor: id });
    if (field.kind === "switch") label.append(input, ` ${title}`);
    else label.append(title);
    input.setAttribute("aria-describedby", help.id);
    return element("div", { className: "field" }, label, ...(field.kind === "switch" ? [] : [input]), help);
  }

  #input(field, id) {
    if (field.kind === "switch") {
      const input = element("input", { type: "checkbox", id, checked: Boolean(field.default) });
      this.inputs.set(field, () => (input.checked === Boolean(field.default) ? null : input.checked ? "yes" : "no"));
      return input;
    }
    if (field.kind === "choice") {
      const input = element("select", { id });
      if (field.nullable) input.append(element("option", { value: "", textContent: "–" }));
      for (const choice of field.choices) input.append(element("option", { value: choice, textContent: choice }));
      input.value = field.default ?? "";
      this.inputs.set(field, () => (input.value === String(field.default ?? "") ? null : input.value));
      return input;
    }
    if (field.kind === "choices") return this.#choices(field);
    if (field.kind === "image") {
      const input = element("input", { type: "file", id, accept: "image/*,.tif,.tiff" });
      this.inputs.set(field, () => input.files[0] ?? null);
      return input;
    }
    const number = field.kind === "integer" || field.kind === "number";
    const input = element("input", { type: number ? "number" : "text", id, value: field.default ?? "" });
    if (number) {
      input.step = field.kind === "integer" ? "1" : "any";
      if (field.minimum !== null) input.min = field.minimum;
      if (field.maximum !== null) input.max = field.maximum;
    }
    this.inputs.set(field, () => {
      if (input.value === String(field.default ?? "")) return null;
      return input.value === "" ? (field.nullable ? "none" : null) : input.value;
    });
    return input;
  }

  #choices(field) {
    const boxes = field.choices.map((choice) =>
      element("input", { type: "checkbox", value: choice, checked: field.default?.includes(choice) ?? false }));
    this.inputs.set(field, () => {
      const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
      return chosen.join() === (field.default ?? []).join() ? null : chosen.length ? chosen : "none";
    });
    const labels = boxes.map((box) => element("label", {}, box, ` ${box.value} `));
    const legend = element("legend", { textContent: field.name.replaceAll("_", " ") });
    return element("fieldset", {}, legend, ...labels);
  }
}
