// What is changed while looking at a result: sliders, the seed, control points. Each change predicts again.
import { element } from "./elements.js";
import { PointsOverlay } from "./points.js";
import { text } from "./texts.js";

const SMALLEST = 0.05; // factor of displacements below which the points are drawn as they are

let made = 0;

export class Controls {
  constructor(request, view, again) {
    Object.assign(this, { request, view, again });
    this.element = element("div", { className: "controls" });
    this.chosen = {};
    for (const field of request.fields) {
      const control = field.control;
      if (control?.kind === "slider" && (!control.needs || request.data.has(control.needs))) this.#addSlider(field);
      else if (control?.kind === "seed") this.#addSeed(field);
      else if (control?.kind === "points" && view.image.url) this.#addPoints(field);
    }
  }

  // Called with each job that is done.
  update(job) {
    this.chosen = { ...this.chosen, ...job.chosen }; // a job that was given points chose none
    this.#drawPoints();
  }

  #value(name) {
    return Number(this.request.data.get(name) ?? this.request.fields.find((field) => field.name === name)?.default);
  }

  #labeled(field, ...children) {
    const label = element("label", { htmlFor: children[0].id, textContent: field.name.replaceAll("_", " ") });
    label.title = field.help;
    this.element.append(element("div", { className: "control" }, label, ...children));
  }

  #addSlider(field) {
    const { low, high, step } = field.control;
    const input = element("input", { type: "range", id: `control-${++made}`, min: low, max: high, step });
    input.value = this.#value(field.name);
    const shown = element("output", { htmlFor: input.id, textContent: String(this.#value(field.name)) });
    input.addEventListener("input", () => { shown.textContent = input.value; });
    input.addEventListener("change", () => this.again({ [field.name]: input.value }));
    this.#labeled(field, input, shown);
  }

  #addSeed(field) {
    const input = element("input", { type: "number", id: `control-${++made}`, min: 0, step: 1, value: this.#value(field.name) });
    const repeat = () => { if (input.checkValidity() && input.value) this.again({ [field.name]: input.value }); };
    input.addEventListener("change", repeat);
    const next = element("button", { type: "button", text: "anotherSeed", onclick: () => {
      input.value = Number(input.value) + 1;
      repeat();
    } });
    this.#labeled(field, input, next);
  }

  #addPoints(field) {
    this.points = field;
    const shown = element("input", { type: "checkbox", checked: true });
    shown.addEventListener("change", () => { this.hidden = !shown.checked; this.#drawPoints(); });
    this.reset = element("button", { type: "button", text: "predictedPoints", onclick: () => this.again({ [field.name]: null }) });
    this.element.append(element("div", { className: "control" },
      element("label", {}, shown, " ", element("span", { text: "controlPoints" })), this.reset,
      element("small", { className: "quiet", text: "pointsHelp" })));
  }

  async #drawPoints() {
    if (!this.points) return;
    const sent = this.request.data.get(this.points.name);
    const points = sent ? JSON.parse(sent) : this.chosen[this.points.name];
    this.reset.disabled = !sent;
    if (this.hidden || !points) return this.view.cover(null);
    const input = element("img", { src: this.view.image.url });
    await input.decode();
    if (this.drawn?.isHeld && this.view.overlay) return; // a person moves a point just now
    const factor = this.points.control.scaled_by ? this.#value(this.points.control.scaled_by) : 1;
    const overlay = new PointsOverlay(input.naturalWidth, input.naturalHeight, points,
      Math.abs(factor) < SMALLEST ? 1 : factor, (number, count) => text("point", { number, count }));
    overlay.onchange = (moved) => this.again({ [this.points.name]: JSON.stringify(moved) });
    const focused = this.view.overlay?.contains(document.activeElement) && document.activeElement.dataset.number;
    this.drawn = overlay;
    this.view.cover(overlay.svg);
    if (focused) overlay.focus(Number(focused));
  }
}
