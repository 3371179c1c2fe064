// A mask in the pixels of its image, whatever size it is shown at: white where the hole is, else transparent. What was done
// is a list of steps; undo draws all but the last again.
export class Mask {
  constructor(width, height) {
    this.canvas = new OffscreenCanvas(width, height);
    this.context = this.canvas.getContext("2d", { willReadFrequently: true });
    this.steps = [];
    this.undone = [];
  }

  get width() { return this.canvas.width; }
  get height() { return this.canvas.height; }
  get isEmpty() { return !this.steps.length; }

  add(step) {
    this.steps.push(step);
    this.undone = [];
    this.#draw(step);
  }

  // Draws the end of a stroke that is still being made; `finish` draws all of it in one piece.
  sketch(stroke, from) {
    this.#line(stroke, Math.max(0, from - 1));
  }

  finish(stroke) {
    this.steps.push(stroke);
    this.undone = [];
    this.#redraw();
  }

  abandon() {
    this.#redraw();
  }

  undo() {
    if (!this.steps.length) return;
    this.undone.push(this.steps.pop());
    this.#redraw();
  }

  redo() {
    if (!this.undone.length) return;
    const step = this.undone.pop();
    this.steps.push(step);
    this.#draw(step);
  }

  clear() {
    this.add({ kind: "clear" });
  }

  // Black and white, without the gray edges that drawing leaves.
  async toBlob() {
    const { width, height } = this;
    const made = new OffscreenCanvas(width, height);
    const context = made.getContext("2d");
    const rows = Math.max(1, Math.floor(2 ** 22 / width));
    for (let top = 0; top < height; top += rows) {
      const part = this.context.getImageData(0, top, width, Math.min(rows, height - top));
      for (let at = 0; at < part.data.length; at += 4) {
        const value = part.data[at + 3] >= 128 ? 255 : 0;
        part.data[at] = part.data[at + 1] = part.data[at + 2] = value;
        part.data[at + 3] = 255;
      }
      context.putImageData(part, 0, top);
    }
    return made.convertToBlob({ type: "image/png" });
  }

  // Takes a mask from an image file; returns whether it has the size of this one.
  async load(file) {
    const image = await createImageBitmap(file, { colorSpaceConversion: "none" });
    if (image.width !== this.width || image.height !== this.height) return false;
    const loaded = new OffscreenCanvas(this.width, this.height);
    const context = loaded.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    const all = context.getImageData(0, 0, this.width, this.height);
    for (let at = 0; at < all.data.length; at += 4) {
      const [red, green, blue, alpha] = all.data.subarray(at, at + 4);
      const inside = red + green + blue > 382 && alpha > 127;
      all.data.fill(255, at, at + 3);
      all.data[at + 3] = inside ? 255 : 0;
    }
    context.putImageData(all, 0, 0);
    this.add({ kind: "load", canvas: loaded });
    return true;
  }

  copyOf(other) {
    const copy = new OffscreenCanvas(other.width, other.height);
    copy.getContext("2d").drawImage(other.canvas, 0, 0);
    this.add({ kind: "load", canvas: copy });
  }

  #redraw() {
    this.context.clearRect(0, 0, this.width, this.height);
    for (const step of this.steps) this.#draw(step);
  }

  #draw(step) {
    const { context, width, height } = this;
    context.globalCompositeOperation = step.erase ? "destination-out" : "source-over";
    context.fillStyle = context.strokeStyle = "#fff";
    if (step.kind === "stroke") this.#line(step, 0);
    if (step.kind === "rectangle") {
      const [[x, y], [right, bottom]] = step.points;
      context.fillRect(Math.min(x, right), Math.min(y, bottom), Math.abs(right - x), Math.abs(bottom - y));
    }
    if (step.kind === "polygon") {
      context.beginPath();
      for (const [x, y] of step.points) context.lineTo(x, y);
      context.fill();
    }
    if (step.kind === "clear") context.clearRect(0, 0, width, height);
    if (step.kind === "load") {
      context.clearRect(0, 0, width, height);
      context.drawImage(step.canvas, 0, 0);
    }
    if (step.kind === "invert") {
      context.globalCompositeOperation = "xor";
      context.fillRect(0, 0, width, height);
    }
    if (step.kind === "dilate") this.#dilate(step.pixels);
    context.globalCompositeOperation = "source-over";
  }

  #line(stroke, from) {
    const { context } = this;
    context.globalCompositeOperation = stroke.erase ? "destination-out" : "source-over";
    context.strokeStyle = "#fff";
    context.lineWidth = stroke.size;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    const points = stroke.points.slice(from);
    context.moveTo(...points[0]);
    for (const [x, y] of points) context.lineTo(x, y);
    context.stroke();
    context.globalCompositeOperation = "source-over";
  }

  // A square around each pixel: along one axis, then the other, in steps that double.
  #dilate(pixels) {
    for (const [across, down] of [[1, 0], [0, 1]]) {
      for (let covered = 1; covered < 2 * pixels + 1;) {
        const step = Math.min(covered, 2 * pixels + 1 - covered);
        const copy = new OffscreenCanvas(this.width + across * 2 * pixels, this.height + down * 2 * pixels);
        const context = copy.getContext("2d");
        context.drawImage(this.wide ?? this.canvas, 0, 0);
        context.drawImage(this.wide ?? this.canvas, across * step, down * step);
        this.wide = copy; // wider than the mask, so that nothing is lost at its border
        covered += step;
      }
      if (!this.wide) continue;
      this.context.clearRect(0, 0, this.width, this.height);
      this.context.drawImage(this.wide, -across * pixels, -down * pixels);
      this.wide = undefined;
    }
  }
}
