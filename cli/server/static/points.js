// Control points over an image: an arrow from each point to where its content goes, whose end is dragged or moved by keys.
const SVG = "http://www.w3.org/2000/svg";
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function draw(name, properties, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(properties)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export class PointsOverlay {
  // points: [[x, y, toX, toY], …] in pixels of the image, (0, 0) being the center of the first; factor: of the displacements.
  constructor(width, height, points, factor, label) {
    Object.assign(this, { width, height, factor, points: points.map((point) => [...point]) });
    this.onchange = () => {};
    this.radius = Math.max(width, height) / 60;
    this.svg = draw("svg", { viewBox: `-0.5 -0.5 ${width} ${height}`, class: "points", preserveAspectRatio: "none" });
    this.marks = this.points.map((_, number) => this.#add(number, label(number + 1, points.length)));
    this.points.forEach((_, number) => this.#place(number));
  }

  get isHeld() { return Boolean(this.held || this.moved); }

  focus(number) { this.marks[number]?.handle.focus({ preventScroll: true }); }

  #add(number, label) {
    const lines = ["shadow", "line"].map((name) => draw("line", { class: name }));
    const from = draw("circle", { class: "from", r: this.radius / 3 });
    const around = draw("circle", { class: "around", r: 2 * this.radius });
    const end = draw("circle", { class: "end", r: this.radius });
    const handle = draw("g", { class: "handle", tabindex: 0, role: "button", "aria-label": label, "data-number": number }, around, end);
    this.svg.append(...lines, from, handle);
    handle.addEventListener("pointerdown", (event) => this.#press(event, number));
    handle.addEventListener("pointermove", (event) => this.#drag(event, number));
    for (const name of ["pointerup", "pointercancel"]) handle.addEventListener(name, (event) => this.#release(event, number));
    handle.addEventListener("dblclick", (event) => event.stopPropagation());
    handle.addEventListener("keydown", (event) => this.#pressKey(event, number));
    handle.addEventListener("keyup", (event) => { if (event.key in STEPS) this.#changed(); });
    return { lines, from, circles: [around, end], handle };
  }

  #end(number) {
    const [x, y, toX, toY] = this.points[number];
    return [x + this.factor * (toX - x), y + this.factor * (toY - y)];
  }

  // The end inside the image, where it can be seen and held.
  #shownEnd(number) {
    const [endX, endY] = this.#end(number);
    return [Math.min(Math.max(endX, 0), this.width - 1), Math.min(Math.max(endY, 0), this.height - 1)];
  }

  #place(number) {
    const [x, y] = this.points[number], [endX, endY] = this.#end(number), shown = this.#shownEnd(number);
    const { lines, from, circles } = this.marks[number];
    for (const line of lines) for (const [key, value] of Object.entries({ x1: x, y1: y, x2: endX, y2: endY })) line.setAttribute(key, value);
    for (const [circle, cx, cy] of [[from, x, y], ...circles.map((each) => [each, ...shown])]) {
      circle.setAttribute("cx", cx);
      circle.setAttribute("cy", cy);
    }
  }

  #moveEnd(number, endX, endY) {
    const [x, y] = this.points[number];
    this.points[number] = [x, y, x + (endX - x) / this.factor, y + (endY - y) / this.factor];
    this.moved = true;
    this.#place(number);
  }

  // In pixels of the image, whatever the size and the magnification on the screen.
  #at(event) {
    const box = this.svg.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width * this.width - 0.5, (event.clientY - box.top) / box.height * this.height - 0.5];
  }

  #press(event, number) {
    if (event.button > 0) return;
    event.preventDefault();
    event.stopPropagation(); // the image stays where it is
    this.focus(number);
    event.currentTarget.setPointerCapture(event.pointerId);
    const [x, y] = this.#at(event), [endX, endY] = this.#shownEnd(number);
    this.held = { id: event.pointerId, dx: endX - x, dy: endY - y };
  }

  #drag(event, number) {
    if (this.held?.id !== event.pointerId) return;
    event.stopPropagation();
    const [x, y] = this.#at(event);
    this.#moveEnd(number, x + this.held.dx, y + this.held.dy);
  }

  #release(event) {
    if (this.held?.id !== event.pointerId) return;
    event.stopPropagation();
    this.held = null;
    this.#changed();
  }

  #pressKey(event, number) {
    if (!(event.key in STEPS) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const length = Math.max(this.width, this.height) / (event.shiftKey ? 20 : 100);
    const [endX, endY] = this.#end(number), [right, down] = STEPS[event.key];
    this.#moveEnd(number, endX + length * right, endY + length * down);
  }

  #changed() {
    if (!this.moved) return;
    this.moved = false;
    this.onchange(this.points);
  }
}
