// <mask-editor>: paint a mask onto an image with mouse, pen, touch or keys.
import { element } from "./elements.js";
import { Mask } from "./mask.js";

const TOOLS = { brush: "b", eraser: "e", polygon: "p", rectangle: "r" };
const SVG = "http://www.w3.org/2000/svg";
const MOST_SHOWN = 4096; // side of the canvas that shows the mask

class MaskEditor extends HTMLElement {
  mask = null;
  tool = "brush";
  size = 40;
  zoom = 1;
  #points = null; // of what is being drawn
  #pointers = new Map();
  #at = [0, 0];

  connectedCallback() {
    if (this.stage) return;
    const button = (name, onclick, more = {}) => element("button", { type: "button", text: name, onclick, ...more });
    this.buttons = Object.fromEntries(Object.keys(TOOLS).map((name) =>
      [name, button(name, () => this.choose(name), { ariaKeyShortcuts: TOOLS[name] })]));
    this.sizeInput = element("input", { type: "range", min: 1, max: 400, value: this.size, label: "size" });
    this.opacityInput = element("input", { type: "range", min: 10, max: 100, value: 50, label: "opacity" });
    this.dilateInput = element("input", { type: "number", min: 1, max: 200, value: 5, label: "dilatePixels" });
    const file = element("input", { type: "file", accept: "image/*", hidden: true });
    file.addEventListener("change", () => this.#load(file));
    this.sizeInput.addEventListener("input", () => this.resize(Number(this.sizeInput.value)));
    this.opacityInput.addEventListener("input", () => { this.shown.style.opacity = this.opacityInput.value / 100; });
    const labeled = (word, input) => element("label", {}, element("span", { text: word }), input);
    this.append(
      element("div", { className: "bar" }, ...Object.values(this.buttons),
        labeled("size", this.sizeInput), labeled("opacity", this.opacityInput)),
      element("div", { className: "bar" },
        button("undo", () => this.#change((mask) => mask.undo())), button("redo", () => this.#change((mask) => mask.redo())),
        button("invert", () => this.#change((mask) => mask.add({ kind: "invert" }))),
        button("dilate", () => this.#change((mask) => mask.add({ kind: "dilate", pixels: Number(this.dilateInput.value) }))),
        this.dilateInput, button("clear", () => this.#change((mask) => mask.clear())),
        button("load", () => file.click()), button("save", () => this.#save()), file,
        button("zoomOut", () => this.zoomTo(this.zoom / 1.5)), button("zoomIn", () => this.zoomTo(this.zoom * 1.5))),
    );
    this.image = element("img", { alt: "", draggable: false });
    this.shown = element("canvas", {});
    this.shown.style.opacity = 0.5;
    this.outline = document.createElementNS(SVG, "svg");
    this.outline.setAttribute("preserveAspectRatio", "none");
    this.stage = element("div", { className: "stage", tabIndex: 0, role: "application", label: "canvas" },
      this.image, this.shown, this.outline);
    this.scroll = element("div", { className: "scroll" }, this.stage);
    this.append(this.scroll);
    this.choose("brush");
    this.#listen();
  }

  // Shows an image with its mask, or a new one; returns the mask when the image is there. Busy until it takes
  // strokes.
  async open(url, mask) {
    this.ariaBusy = "true";
    this.image.src = url;
    await this.image.decode().catch(() => {}); // refused where another image came meanwhile
    if (this.image.getAttribute("src") !== url || !this.image.naturalWidth) return mask;
    this.mask = mask ?? new Mask(this.image.naturalWidth, this.image.naturalHeight);
    const { width, height } = this.mask;
    this.outline.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.sizeInput.max = Math.max(100, Math.round(Math.max(width, height) / 2));
    this.resize(Math.max(2, Math.round(Math.min(width, height) / 12)));
    this.zoomTo(1);
    this.show();
    this.ariaBusy = "false";
    return this.mask;
  }

  choose(tool) {
    this.tool = tool;
    this.#points = null;
    for (const [name, button] of Object.entries(this.buttons)) button.ariaPressed = String(name === tool);
    this.#outline();
  }

  resize(size) {
    this.size = Math.min(Math.max(1, Math.round(size)), Number(this.sizeInput.max));
    this.sizeInput.value = this.size;
    this.#outline();
  }

  zoomTo(zoom) {
    this.zoom = Math.min(Math.max(zoom, 1), 16);
    this.stage.style.width = `${100 * this.zoom}%`;
    if (!this.mask) return;
    const share = Math.min(1, MOST_SHOWN / Math.max(this.mask.width, this.mask.height));
    this.shown.width = Math.round(this.mask.width * share);
    this.shown.height = Math.round(this.mask.height * share);
    this.show();
  }

  show() {
    const context = this.shown.getContext("2d");
    const { width, height } = this.shown;
    context.globalCompositeOperation = "copy";
    context.drawImage(this.mask.canvas, 0, 0, width, height);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = "#ff2a6d";
    context.fillRect(0, 0, width, height);
  }

  #change(act) {
    if (!this.mask) return;
    act(this.mask);
    this.show();
    this.dispatchEvent(new Event("change"));
  }

  async #load(input) {
    const [file] = input.files;
    input.value = "";
    const fits = await this.mask.load(file).catch(() => false);
    if (!fits) this.dispatchEvent(new CustomEvent("misfit", { detail: file.name }));
    this.show();
    this.dispatchEvent(new Event("change"));
  }

  async #save() {
    const url = URL.createObjectURL(await this.mask.toBlob());
    element("a", { href: url, download: "mask.png" }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  #listen() {
    const { stage } = this;
    stage.addEventListener("pointerdown", (event) => this.#press(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", (event) => this.#release(event));
    stage.addEventListener("pointercancel", (event) => this.#abandon(event));
    stage.addEventListener("pointerleave", () => this.#outline(false));
    stage.addEventListener("dblclick", () => this.#closePolygon());
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("keydown", (event) => this.#pressKey(event));
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (event.ctrlKey) this.zoomTo(this.zoom * Math.exp(-event.deltaY / 300));
      else this.resize(this.size * (event.deltaY < 0 ? 1.1 : 1 / 1.1) + (event.deltaY < 0 ? 1 : -1));
    }, { passive: false });
  }

  #place(event) {
    const box = this.stage.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * this.mask.width, (event.clientY - box.top) / box.height * this.mask.height];
  }

  get #erases() { return this.tool === "eraser"; }

  #press(event) {
    if (!this.mask || event.button > 0) return;
    event.preventDefault();
    this.stage.focus({ preventScroll: true });
    this.stage.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, event);
    if (this.#pointers.size > 1) return this.#giveUp(); // two fingers move the image
    this.#at = this.#place(event);
    if (this.tool === "polygon") (this.#points ??= []).push(this.#at);
    else this.#points = [this.#at];
    if (this.tool === "brush" || this.tool === "eraser") this.#sketch(0);
    this.#outline();
  }

  #move(event) {
    if (!this.mask) return;
    const before = this.#pointers.get(event.pointerId);
    if (before) this.#pointers.set(event.pointerId, event);
    if (before && this.#pointers.size > 1) {
      this.scroll.scrollBy((before.clientX - event.clientX) / 2, (before.clientY - event.clientY) / 2);
      return;
    }
    const known = this.#points?.length;
    for (const each of event.getCoalescedEvents?.().length ? event.getCoalescedEvents() : [event]) {
      this.#at = this.#place(each);
      if (before && this.#points && ["brush", "eraser"].includes(this.tool)) this.#points.push(this.#at);
    }
    if (before && this.#points && ["brush", "eraser"].includes(this.tool)) this.#sketch(known);
    this.#outline();
  }

  #release(event) {
    const down = this.#pointers.delete(event.pointerId);
    if (!down || !this.#points || this.tool === "polygon") return;
    this.#at = this.#place(event);
    if (this.tool === "rectangle") {
      const points = [this.#points[0], this.#at].map((point) => point.map(Math.round));
      this.#points = null;
      this.#change((mask) => mask.add({ kind: "rectangle", points }));
    } else {
      const stroke = this.#stroke();
      this.#points = null;
      this.#change((mask) => mask.finish(stroke));
    }
    this.#outline();
  }

  #abandon(event) {
    this.#pointers.delete(event.pointerId);
    this.#giveUp();
  }

  #giveUp() {
    this.#points = null;
    this.mask?.abandon();
    if (this.mask) this.show();
    this.#outline();
  }

  #stroke() {
    return { kind: "stroke", size: this.size, points: this.#points, erase: this.#erases };
  }

  #sketch(from) {
    this.mask.sketch(this.#stroke(), from);
    this.show();
  }

  #closePolygon() {
    const points = this.#points;
    if (this.tool !== "polygon" || !points) return;
    this.#points = null;
    if (points.length > 2) this.#change((mask) => mask.add({ kind: "polygon", points }));
    this.#outline();
  }

  #pressKey(event) {
    const key = event.key.toLowerCase();
    if (!this.mask) return;
    const step = event.shiftKey ? 1 : Math.max(1, Math.round(this.size / 2));
    const walk = (x, y) => { this.#at = [this.#at[0] + x * step, this.#at[1] + y * step]; this.#outline(); };
    const keys = {
      "[": () => this.resize(this.size / 1.2 - 1), "]": () => this.resize(this.size * 1.2 + 1),
      arrowleft: () => walk(-1, 0), arrowright: () => walk(1, 0), arrowup: () => walk(0, -1), arrowdown: () => walk(0, 1),
      " ": () => this.#stamp(), enter: () => this.#closePolygon(), escape: () => this.#giveUp(),
      i: () => this.#change((mask) => mask.add({ kind: "invert" })),
      "+": () => this.zoomTo(this.zoom * 1.5), "-": () => this.zoomTo(this.zoom / 1.5),
    };
    for (const [tool, letter] of Object.entries(TOOLS)) keys[letter] = () => this.choose(tool);
    if (event.ctrlKey || event.metaKey) {
      const redo = key === "y" || (key === "z" && event.shiftKey);
      if (redo) this.#change((mask) => mask.redo());
      else if (key === "z") this.#change((mask) => mask.undo());
      else return;
    } else if (key in keys) keys[key]();
    else return;
    event.preventDefault();
  }

  // The space key: a dot of the brush, or a corner.
  #stamp() {
    const points = [this.#at, this.#at];
    if (this.tool === "polygon") (this.#points ??= []).push(this.#at);
    else if (this.tool === "rectangle" && !this.#points) this.#points = [this.#at];
    else if (this.tool === "rectangle") {
      const corners = [this.#points[0], this.#at].map((point) => point.map(Math.round));
      this.#points = null;
      this.#change((mask) => mask.add({ kind: "rectangle", points: corners }));
    } else this.#change((mask) => mask.add({ kind: "stroke", size: this.size, points, erase: this.#erases }));
    this.#outline();
  }

  // Draws the brush at the cursor, or the shape that is being made; each line twice, to be seen on every ground.
  #outline(inside = true) {
    this.outline?.replaceChildren();
    if (!this.mask || !inside) return;
    const [x, y] = this.#at;
    const draw = (name, attributes) => {
      for (const className of ["shadow", this.#erases ? "erasing" : ""]) {
        const made = document.createElementNS(SVG, name);
        for (const [key, value] of Object.entries({ ...attributes, class: className })) made.setAttribute(key, value);
        this.outline.append(made);
      }
    };
    if (this.tool === "brush" || this.tool === "eraser") return draw("circle", { cx: x, cy: y, r: this.size / 2 });
    const shape = (this.#points ?? []).concat([[x, y]]);
    if (this.tool === "polygon") draw("polyline", { points: shape.map((point) => point.join()).join(" ") });
    else if (shape.length > 1) {
      const [[left, top]] = shape;
      draw("rect", {
        x: Math.min(left, x), y: Math.min(top, y), width: Math.abs(x - left), height: Math.abs(y - top),
      });
    }
    const arm = this.mask.width / 60;
    draw("path", { d: `M${x - arm} ${y}h${2 * arm}M${x} ${y - arm}v${2 * arm}` });
  }
}
customElements.define("mask-editor", MaskEditor);
