// Classes laid over an image: probabilities are thresholded here, so that no slider asks for another prediction.
import { element } from "./elements.js";
import { text } from "./texts.js";

const MOST_SHOWN = 2048; // side of the canvas
const ROWS = 256; // of an image that are looked at together

// Reads a map as 8-bit values: those that are shown, and how many pixels of all have each value.
async function readMap(blob, width, height) {
  const image = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const context = new OffscreenCanvas(image.width, Math.min(ROWS, image.height)).getContext("2d", { willReadFrequently: true });
  const counts = new Float64Array(256), values = new Uint8Array(width * height);
  let row = 0; // of those that are shown
  const sourceOf = (y) => Math.floor((y + 0.5) * image.height / height);
  for (let top = 0; top < image.height; top += ROWS) {
    const rows = Math.min(ROWS, image.height - top);
    context.drawImage(image, 0, -top);
    const { data } = context.getImageData(0, 0, image.width, rows);
    for (let at = 0; at < data.length; at += 4) counts[data[at]] += 1;
    for (; row < height && sourceOf(row) < top + rows; row += 1) {
      const start = (sourceOf(row) - top) * image.width;
      for (let x = 0; x < width; x += 1) {
        values[row * width + x] = data[4 * (start + Math.floor((x + 0.5) * image.width / width))];
      }
    }
  }
  const pixels = image.width * image.height;
  image.close();
  return { counts, values, pixels };
}

export class ClassOverlay {
  // Whether the files hold the maps.
  static fits(classes, files) {
    if (!classes) return false;
    const wanted = classes.numbers === null ? classes.classes.map((each) => each.part) : [classes.numbers];
    return wanted.every((part) => files.some((file) => file.part === part));
  }

  constructor(again) {
    this.again = again;
    this.canvas = element("canvas", { className: "classes" });
    this.opacity = element("input", { type: "range", min: 0, max: 100, value: 50 });
    this.opacity.addEventListener("input", () => { this.canvas.style.opacity = this.opacity.value / 100; });
    this.canvas.style.opacity = 0.5;
    this.threshold = element("input", { type: "range", min: 0, max: 254, step: 1 });
    this.shownThreshold = element("output");
    this.threshold.addEventListener("input", () => this.paint());
    this.write = element("button", { type: "button", text: "writeThreshold" });
    this.write.addEventListener("click", () => this.again({ [this.about.option]: String(this.#probability) }));
    this.legend = element("ul", { className: "legend", label: "classes" });
    const labeled = (word, ...rest) => element("div", { className: "control" },
      element("label", {}, element("span", { text: word }), " ", rest[0]), ...rest.slice(1));
    this.thresholdRow = labeled("threshold", this.threshold, this.shownThreshold, this.write);
    this.controls = element("div", { className: "controls" }, labeled("opacity", this.opacity), this.thresholdRow, this.legend);
  }

  // Reads the maps of a result.
  async read(about, files) {
    const file = (part) => files.find((each) => each.part === part);
    const parts = about.numbers === null ? about.classes.map((each) => each.part) : [about.numbers];
    const { width, height } = file(parts[0]);
    const share = Math.min(1, MOST_SHOWN / Math.max(width, height));
    const shown = [width, height].map((side) => Math.max(1, Math.round(side * share)));
    const maps = [];
    for (const part of parts) maps.push(await readMap(file(part).blob, ...shown));
    Object.assign(this, { about, maps });
    [this.canvas.width, this.canvas.height] = shown;
    this.written = Math.min(254, Math.floor(255 * about.threshold));
    this.threshold.value = this.written;
    this.thresholdRow.hidden = about.option === null;
    this.#makeLegend();
    this.paint();
  }

  // An 8-bit value v stands for probabilities from (v - 0.5) / 255 on, so a limit between two values is exact.
  get #probability() { return (Number(this.threshold.value) + 0.5) / 255; }

  #makeLegend() {
    const hidden = new Set(this.rows?.filter((row) => !row.box.checked).map((row) => row.name));
    this.rows = this.about.classes.map(({ name, color }) => {
      const box = element("input", { type: "checkbox", checked: !hidden.has(name), disabled: color === null });
      box.addEventListener("change", () => this.paint());
      const swatch = element("span", { className: "swatch" });
      if (color) swatch.style.background = `rgb(${color.map((value) => Math.round(255 * value)).join(" ")})`;
      const share = element("span", { className: "share" });
      this.legend.append(element("li", {}, element("label", {}, box, swatch, element("span", { textContent: name })), share));
      return { name, box, share };
    });
    this.legend.replaceChildren(...[...this.legend.children].slice(-this.rows.length));
  }

  paint() {
    const { about, maps, canvas } = this, limit = Number(this.threshold.value);
    const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, canvas.height);
    const pixels = new Uint32Array(image.data.buffer), bytes = new Uint8Array(4);
    const language = document.documentElement.lang, percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 2 });
    about.classes.forEach(({ color }, index) => {
      const map = maps[about.numbers === null ? index : 0];
      const inside = new Uint8Array(256).map((_, value) => (about.numbers === null ? value > limit : value === index));
      const found = map.counts.reduce((sum, count, value) => sum + inside[value] * count, 0);
      this.rows[index].share.textContent = percent.format(found / map.pixels);
      if (!color || !this.rows[index].box.checked) return;
      bytes.set([...color.map((value) => Math.round(255 * value)), 255]);
      const [paint] = new Uint32Array(bytes.buffer);
      map.values.forEach((value, place) => { if (inside[value]) pixels[place] = paint; });
    });
    context.putImageData(image, 0, 0);
    const number = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
    this.shownThreshold.textContent = number.format(this.#probability);
    this.threshold.setAttribute("aria-valuetext", this.shownThreshold.textContent);
    this.write.hidden = !this.again || limit === this.written;
  }
}
