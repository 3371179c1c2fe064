// The results of one image: one figure a model, with progress, downloads and a view. Some can be changed and predicted again.
import { readFile, removeJob } from "./api.js";
import { Controls } from "./controls.js";
import { element } from "./elements.js";
import { text } from "./texts.js";
import { ResultView } from "./view.js";

export class Result {
  constructor(model, image) {
    this.model = model;
    this.image = image; // { name, url }
    this.files = [];
    this.alone = true; // whether no other model works on the image, so that names of files suffice
    this.request = null; // { fields, data, send }: what was sent, and how to send it again; null after a reload
    this.row = element("div", { className: "row" });
    this.links = element("div", { className: "row" });
    this.view = new ResultView(model, image);
    this.figure = element("figure", { className: "result" },
      element("figcaption", {}, element("strong", { textContent: model })), this.row, this.links, this.view.element);
    this.#begin();
  }

  // What was started before belongs to an earlier turn and changes nothing any more.
  #begin() {
    this.turn = (this.turn ?? 0) + 1;
    this.ended = false;
    this.job = undefined;
    this.warned = 0;
    this.stop = new AbortController();
    this.progress = element("progress", { label: "progress" });
    this.said = element("span", { className: "quiet", text: "sending" });
    this.row.replaceChildren(this.progress, this.said,
      element("button", { type: "button", text: "cancel", onclick: () => this.abort() }));
  }

  // Shows how far the job is.
  tell(job) {
    this.job = job.id;
    if (job.total) Object.assign(this.progress, { max: job.total, value: job.done });
    const words = { waiting: text("waiting", { count: job.ahead }), running: text("tiles", job) };
    if (job.state in words) this.said.textContent = job.state === "running" && !job.total ? text("running") : words[job.state];
    if (!this.warned) this.view.clearWarnings();
    for (const warning of job.warnings.slice(this.warned)) this.view.warn(warning);
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

  // Predicts again with some other values; null unsets one. The view stays until the new files are there.
  repeat(changes) {
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) this.request.data.delete(name);
      else this.request.data.set(name, value);
    }
    if (!this.ended) this.stop.abort();
    if (this.job) removeJob(this.job).catch(() => {}); // its files are here already, or nobody wants them
    this.#begin();
    return this.request.send(this.request.data);
  }

  // Fetches the files of a job that is done, and shows them.
  async finish(job) {
    this.tell(job);
    const { turn } = this, files = [];
    for (const [number, file] of job.files.entries()) {
      const blob = await readFile(job.id, number);
      if (turn !== this.turn) return files.forEach((each) => URL.revokeObjectURL(each.url));
      files.push({ ...file, blob, url: URL.createObjectURL(blob) });
    }
    const before = this.files;
    this.files = files;
    this.links.replaceChildren(...files.map((file) => {
      const name = this.alone ? file.name : `${this.model.replaceAll("/", "-")}-${file.name}`;
      const link = element("a", { href: file.url, download: name, className: "download", textContent: name });
      return element("span", {}, link, ` ${file.width} × ${file.height}`);
    }));
    const again = this.request && ((changes) => this.repeat(changes));
    await this.view.show(files, job, again);
    if (turn !== this.turn) return;
    if (again) {
      this.controls ??= new Controls(this.request, this.view, again);
      this.controls.update(job);
      if (!this.controls.element.isConnected) this.view.element.append(this.controls.element);
    }
    for (const file of before) URL.revokeObjectURL(file.url);
    this.row.replaceChildren();
    this.ended = true;
  }

  discard() {
    for (const file of this.files) URL.revokeObjectURL(file.url);
    if (this.job) removeJob(this.job).catch(() => {});
  }
}
