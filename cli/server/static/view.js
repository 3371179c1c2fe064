// What a person sees of a result: the part that is chosen, compared with the input, or classes laid over the input.
import { ClassOverlay } from "./classes.js";
import { element } from "./elements.js";
import { text } from "./texts.js";

const SHOWN = /\.(png|jpg)$/;
const OVERLAY = "\0classes"; // stands among the parts, whose names are those of files

export class ResultView {
  constructor(model, image) {
    this.model = model;
    this.image = image;
    this.part = null; // that is chosen
    this.kind = null; // of the stack: plain, compare or classes
    this.parts = element("div", { className: "parts", role: "group", label: "part" });
    this.place = element("div", { className: "place" });
    this.warnings = element("div");
    this.element = element("div", { className: "view" }, this.parts, this.place, this.warnings);
    this.overlay = null; // drawn over the result, such as control points
  }

  warn(message) { this.warnings.append(element("p", { className: "quiet", textContent: message })); }
  clearWarnings() { this.warnings.replaceChildren(); }

  // Shows the files of a job. The chosen part, the magnification and the line of the comparison stay.
  async show(files, job, again) {
    const choices = files.filter((file) => SHOWN.test(file.name));
    if (this.image.url && ClassOverlay.fits(job.classes, choices)) {
      this.classes ??= new ClassOverlay(again);
      await this.classes.read(job.classes, choices);
      choices.unshift({ part: OVERLAY, url: this.image.url, label: "classes" });
    }
    this.choices = choices;
    this.parts.replaceChildren(...(choices.length > 1 ? choices.map((file) => this.#choice(file)) : []));
    if (choices.length) this.choose(choices.find((file) => file.part === this.part) ?? choices[0]);
  }

  #choice(file) {
    const word = file.label ?? (file.part ? null : "wholeResult");
    const button = element("button", { type: "button", onclick: () => this.choose(file) },
      element("img", { src: file.url, alt: "" }), element("span", word ? { text: word } : { textContent: file.part }));
    button.dataset.part = file.part;
    return button;
  }

  choose(file) {
    this.part = file.part;
    for (const button of this.parts.children) button.ariaPressed = String(button.dataset.part === file.part);
    const kind = file.part === OVERLAY ? "classes" : this.image.url ? "compare" : "plain";
    if (kind !== this.kind) this.#build(kind);
    if (kind === "classes") this.classes.paint();
    else this.after.src = file.url;
    this.#cover();
  }

  #build(kind) {
    this.kind = kind;
    this.stack = element("div", { className: "stack" });
    const zoom = element("zoom-view", { tabIndex: 0, label: "zoomHelp" }, this.stack);
    zoom.setAttribute("group", this.image.name);
    this.after = element("img", { alt: this.model });
    if (kind === "plain") this.stack.append(this.after);
    else if (kind === "classes") this.stack.append(element("img", { src: this.image.url, alt: text("before") }), this.classes.canvas);
    else {
      const slider = element("compare-slider", {}, element("img", { src: this.image.url, alt: text("before") }), this.after);
      slider.setAttribute("bar", "");
      this.stack.append(slider);
    }
    this.place.replaceChildren(zoom);
    if (kind === "classes") this.place.append(this.classes.controls);
    const line = this.place.querySelector("compare-slider input");
    if (line) this.place.append(line); // below the part that is magnified
    this.after.addEventListener("load", () => this.#cover());
  }

  // Draws something over the result, if that has the shape of the input.
  cover(overlay) {
    this.overlay?.remove();
    this.overlay = overlay;
    this.#cover();
  }

  #cover() {
    if (!this.overlay || !this.stack) return;
    const { naturalWidth: width, naturalHeight: height } = this.after;
    const [, , inputWidth, inputHeight] = this.overlay.getAttribute("viewBox").split(" ").map(Number);
    const same = this.kind === "compare" && Math.abs(width * inputHeight - height * inputWidth) <= Math.max(width, height);
    if (!same || !width) this.overlay.remove();
    else if (this.overlay.parentNode !== this.stack) this.stack.append(this.overlay); // appended again, it would lose the focus
  }
}
