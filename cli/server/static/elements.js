// element("button", { type: "button", text: "run", onclick }, …): an element with properties, words of texts.js and children.
import { text } from "./texts.js";

export function element(name, { text: word, label, dataset, ...properties } = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, properties);
  Object.assign(made.dataset, dataset);
  if (word) {
    made.dataset.text = word;
    made.textContent = text(word);
  }
  if (label) {
    made.dataset.label = label;
    made.setAttribute("aria-label", text(label));
    made.title = text(label);
  }
  made.append(...children);
  return made;
}
