// The results of one image: one figure a model, with progress, slider, zoom and downloads.
import { readFile, removeJob } from "./api.js";
import { element } from "./elements.js";
import { text } from "./texts.js";

const SHOWN = /\.(png|jpg)$/;

export class Result {
  constructor(model, image) {
    this.model = model;
    this.image = image; // { name, url }
    this.files = [];
    this.alone = true; // whether no other model works on the image, so that names of files suffice
    this.stop = new AbortController();
    this.progress = element("progress", { label: "progress" });
    this.said = element("span", { className: "quiet", text: "sending" });
    this.cancel = element("button", { type: "button", text: "cancel", onclick: () => this.abort() });
    this.row = element("div", { className: "row" }, this.progress, this.said, this.cancel);
    this.body = element("div");
    this.figure = element("figure", { className: "result" },
      element("figcaption", {}, element("strong", { textContent: model })), this.row, this.body);
  }

  // Shows how far the job is.
  tell(job) {
    this.job = job.id;
    if (job.total) Object.assign(this.progress, { max: job.total, value: job.done });
    const words = { waiting: text("waiting", { count: job.ahead }), running: text("tiles", job) };
    if (job.state in words) this.said.textContent = job.state === "running" && !job.total ? text("running") : words[job.state];
    for (const warning of job.warnings.slice(this.warned ?? 0)) {
      this.body.append(element("p", { className: "quiet", textContent: warning }));
    }
    this.warned = job.warnings.length;
  }

  abort() {
    this.stop.abort();
    if (this.job) removeJob(this.job).catch(() => {});
    this.fail(text("canceled"));
  }

  fail(message) {
    this.ended = true;
    this.row.replaceChildren(element("span", { className: "bad-text", textContent: message || text("unreachable"), role: "alert" }));
  }

  // Fetches the files of a job that is done, and shows the first that a browser can show.
  async finish(job) {
    this.tell(job);
    this.files = [];
    for (const [number, file] of job.files.entries()) {
      this.files.push({ ...file, url: URL.createObjectURL(await readFile(job.id, number)) });
    }
    this.ended = true;
    this.row.replaceChildren(...this.files.map((file) => {
      const name = this.alone ? file.name : `${this.model.replaceAll("/", "-")}-${file.name}`;
      const link = element("a", { href: file.url, download: name, className: "download", textContent: name });
      return element("span", {}, link, ` ${file.width} × ${file.height}`);
    }));
    const shown = this.files.filter((file) => SHOWN.test(file.name));
    if (shown.length > 1) {
      const choose = element("select", { label: "part" });
      for (const file of shown) choose.append(element("option", { value: file.url, textContent: file.part || text("wholeResult") }));
      choose.addEventListener("change", () => this.#show(shown.find((file) => file.url === choose.value)));
      this.row.append(choose);
    }
    if (shown.length) this.#show(shown[0]);
    else this.view = undefined;
  }

  #show(file) {
    this.view?.remove();
    const after = element("img", { src: file.url, alt: this.model });
    if (!this.image.url) this.view = element("zoom-view", { tabIndex: 0 }, after);
    else {
      const before = element("img", { src: this.image.url, alt: text("before") });
      const slider = element("compare-slider", {}, before, after);
      slider.setAttribute("bar", "");
      this.view = element("div", {}, element("zoom-view", { tabIndex: 0, label: "zoomHelp" }, slider));
    }
    const zoom = this.view.matches("zoom-view") ? this.view : this.view.querySelector("zoom-view");
    zoom.setAttribute("group", this.image.name);
    this.body.prepend(this.view);
    const input = this.view.querySelector("input");
    if (input) this.view.append(input); // below the part that is magnified
  }

  discard() {
    for (const file of this.files) URL.revokeObjectURL(file.url);
    if (this.job) removeJob(this.job).catch(() => {});
  }
}
