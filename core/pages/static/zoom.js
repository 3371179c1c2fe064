// <zoom-view group="a" tabindex="0">…</zoom-view>: what is inside can be magnified (wheel, pinch, + and -) and moved (drag,
// arrow keys); 0 or a double click puts it back. Views of one group move together.
const LARGEST = 32;

class ZoomView extends HTMLElement {
  static groups = new Map();
  #pointers = new Map();

  connectedCallback() {
    this.group = this.getAttribute("group") ?? "";
    const views = ZoomView.groups.get(this.group) ?? new Set();
    ZoomView.groups.set(this.group, views.add(this));
    if (this.wired) return;
    this.wired = true;
    this.state = { zoom: 1, x: 0, y: 0 }; // x and y: the moved distance as a share of the view's width and height
    this.addEventListener("wheel", (event) => this.#turnWheel(event), { passive: false });
    this.addEventListener("pointerdown", (event) => this.#press(event));
    this.addEventListener("pointermove", (event) => this.#drag(event));
    for (const name of ["pointerup", "pointercancel"]) this.addEventListener(name, (event) => this.#release(event));
    this.addEventListener("dblclick", () => this.moveGroup({ zoom: 1, x: 0, y: 0 }));
    this.addEventListener("keydown", (event) => this.#pressKey(event));
  }

  disconnectedCallback() {
    ZoomView.groups.get(this.group)?.delete(this);
  }

  moveGroup(state) {
    for (const view of ZoomView.groups.get(this.group)) view.show(state);
  }

  show({ zoom, x, y }) {
    zoom = Math.min(Math.max(zoom, 1), LARGEST);
    const inside = (share) => Math.min(Math.max(share, 1 - zoom), 0);
    this.state = { zoom, x: inside(x), y: inside(y) };
    const { width, height } = this.getBoundingClientRect();
    for (const child of this.children) {
      child.style.transform = `translate(${this.state.x * width}px, ${this.state.y * height}px) scale(${zoom})`;
    }
  }

  // Keeps the point under the pointer where it is.
  #zoomAt(event, factor) {
    const box = this.getBoundingClientRect();
    const [px, py] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    const zoom = Math.min(Math.max(this.state.zoom * factor, 1), LARGEST);
    const ratio = zoom / this.state.zoom;
    this.moveGroup({ zoom, x: px - ratio * (px - this.state.x), y: py - ratio * (py - this.state.y) });
  }

  #turnWheel(event) {
    event.preventDefault();
    this.#zoomAt(event, Math.exp(-event.deltaY / 300));
  }

  #press(event) {
    if (event.target.closest("input, button, a")) return;
    event.preventDefault();
    this.focus({ preventScroll: true });
    this.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, event);
  }

  #drag(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const { width, height } = this.getBoundingClientRect();
    if (this.#pointers.size === 2) {
      const [other] = [...this.#pointers].filter(([id]) => id !== event.pointerId).map(([, pointer]) => pointer);
      const distance = (pointer) => Math.hypot(pointer.clientX - other.clientX, pointer.clientY - other.clientY) || 1;
      const middle = { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 };
      this.#zoomAt(middle, distance(event) / distance(before));
    } else {
      const { zoom, x, y } = this.state;
      this.moveGroup({
        zoom, x: x + (event.clientX - before.clientX) / width, y: y + (event.clientY - before.clientY) / height,
      });
    }
    this.#pointers.set(event.pointerId, event);
  }

  #release(event) {
    this.#pointers.delete(event.pointerId);
  }

  #pressKey(event) {
    if (event.target !== this || event.ctrlKey || event.metaKey || event.altKey) return;
    const { zoom, x, y } = this.state;
    const { left, top, width, height } = this.getBoundingClientRect();
    const middle = { clientX: left + width / 2, clientY: top + height / 2 };
    const steps = {
      "+": () => this.#zoomAt(middle, 1.25), "=": () => this.#zoomAt(middle, 1.25), "-": () => this.#zoomAt(middle, 0.8),
      0: () => this.moveGroup({ zoom: 1, x: 0, y: 0 }),
      ArrowLeft: () => this.moveGroup({ zoom, x: x + 0.1, y }), ArrowRight: () => this.moveGroup({ zoom, x: x - 0.1, y }),
      ArrowUp: () => this.moveGroup({ zoom, x, y: y + 0.1 }), ArrowDown: () => this.moveGroup({ zoom, x, y: y - 0.1 }),
    };
    if (!(event.key in steps)) return;
    event.preventDefault();
    steps[event.key]();
  }
}
customElements.define("zoom-view", ZoomView);
