// The page of restore serve: images and models in, results out.
import * as api from "./api.js";
import "./brush.js";
import { element } from "./elements.js";
import { OptionsForm } from "./form.js";
import { Result } from "./results.js";
import { LANGUAGES, preferredLanguage, text, translate, useLanguage } from "./texts.js";
import { openViews } from "./views.js";

const AT_ONCE = 4; // jobs that this page has in the queue of the server
const find = (id) => document.getElementById(id);
const images = []; // { file, name, url, mask, item, section }
const forms = new Map(); // by identifier of the model, of those that are chosen
const results = [];
let current = null;

function say(message, bad = false) {
  find("status").textContent = message;
  find("status").classList.toggle("bad", bad);
}

// --- images ---------------------------------------------------------------------------------------------------------

function addImages(files) {
  for (const file of files) {
    const image = { file, name: file.name || "image.png", url: URL.createObjectURL(file), mask: null };
    const preview = element("img", { src: image.url, alt: "" });
    preview.addEventListener("error", () => { // such as TIFF: the server reads it, the browser does not
      preview.replaceWith(element("span", { className: "blank" }));
      URL.revokeObjectURL(image.url);
      image.url = "";
      if (image === current) showMask();
    });
    const name = element("span", { className: "name", textContent: image.name });
    const choose = element("button", { type: "button", className: "choose", onclick: () => choosePhoto(image) }, preview, name);
    const remove = element("button", { type: "button", className: "remove", textContent: "×", label: "remove" });
    remove.addEventListener("click", () => removeImage(image));
    image.item = element("li", {}, choose, remove);
    find("images").append(image.item);
    images.push(image);
    if (!current) choosePhoto(image);
  }
}

function removeImage(image) {
  images.splice(images.indexOf(image), 1);
  image.item.remove();
  if (image === current) choosePhoto(images[0] ?? null);
}

function choosePhoto(image) {
  current = image;
  for (const each of images) each.item.querySelector(".choose").ariaPressed = String(each === image);
  showMask();
}

function listenForImages() {
  const drop = find("drop");
  find("pick").addEventListener("change", (event) => {
    addImages(event.target.files);
    event.target.value = "";
  });
  addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  addEventListener("dragleave", () => drop.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    addImages(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => addImages(event.clipboardData.files));
}

// --- masks ----------------------------------------------------------------------------------------------------------

const needsMask = () => [...forms.values()].some((form) => form.masks.length);

async function showMask() {
  const editor = find("editor"), wanted = Boolean(current && needsMask());
  find("mask-section").hidden = !wanted;
  if (!wanted || editor.shownFor === current) return;
  editor.hidden = !current.url;
  if (!current.url) return say(text("noPreview", { name: current.name }), true);
  editor.shownFor = current;
  const previous = images.map((image) => image.mask).filter((mask) => mask && !mask.isEmpty).at(-1);
  const fresh = !current.mask;
  const image = current;
  image.mask = await editor.open(image.url, image.mask);
  if (!image.mask || image !== current) return;
  // The last mask goes along to the next image of the same size; undo takes it back.
  if (fresh && previous && previous.width === current.mask.width && previous.height === current.mask.height) {
    current.mask.copyOf(previous);
    editor.show();
    say(text("maskReused"));
  }
}

// --- models ---------------------------------------------------------------------------------------------------------

async function showModels() {
  const { models, problems } = await api.listModels();
  const chosen = new Set(JSON.parse(sessionStorage.getItem("chosen") ?? "[]"));
  find("models").replaceChildren(...models.map((model) => {
    const box = element("input", { type: "checkbox", value: model.id, checked: chosen.has(model.id) });
    box.addEventListener("change", () => chooseModel(model, box.checked));
    if (box.checked) chooseModel(model, true);
    const words = element("span", {}, model.name, element("small", { textContent: model.card.use ?? model.summary }));
    return element("label", {}, box, words);
  }));
  find("search").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const label of find("models").children) label.hidden = !label.textContent.toLowerCase().includes(wanted);
  });
  if (problems.length) say(problems.join("\n"), true);
}

function chooseModel(model, wanted) {
  if (wanted && !forms.has(model.id)) {
    forms.set(model.id, new OptionsForm(model));
    find("options").append(forms.get(model.id).element);
  } else if (!wanted) {
    forms.get(model.id)?.element.remove();
    forms.delete(model.id);
  }
  sessionStorage.setItem("chosen", JSON.stringify([...forms.keys()]));
  showMask();
}

// --- running --------------------------------------------------------------------------------------------------------

const keepJobs = () => sessionStorage.setItem("jobs", JSON.stringify(
  results.filter((result) => result.job && !result.stop.signal.aborted).map((result) => result.job)));

function addResult(model, image) {
  const result = new Result(model, image);
  if (!image.section?.isConnected) {
    image.grid = element("div", { className: "grid" });
    image.section = element("section", { className: "result-image" }, element("h3", { textContent: image.name }), image.grid);
    find("results").prepend(image.section);
  }
  result.alone = forms.size < 2;
  image.grid.prepend(result.figure);
  results.push(result);
  find("no-results").hidden = true;
  return result;
}

async function run() {
  if (!images.length || !forms.size) return say(text(images.length ? "chooseModel" : "chooseImage"), true);
  const waiting = [];
  for (const image of images) {
    for (const form of forms.values()) {
      if (form.masks.length && (!image.mask || image.mask.isEmpty)) {
        say(text("maskMissing", { name: image.name }), true);
        choosePhoto(image);
        return find("mask-section").scrollIntoView({ behavior: "smooth" });
      }
      const data = new FormData();
      data.append("image", image.file, image.name);
      for (const name of form.masks) data.append(name, await image.mask.toBlob(), "mask.png");
      form.fill(data);
      const result = addResult(form.model.name, image), { id, fields } = form.model;
      result.request = { fields, data, send: (changed) => process(result, id, changed) };
      waiting.push([result, id, data]);
    }
  }
  say("");
  find("results-heading").scrollIntoView({ behavior: "smooth" });
  updateButtons();
  const work = async () => {
    for (let next; (next = waiting.shift());) await process(...next);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function process(result, model, data) {
  if (result.ended) return;
  const { turn } = result, isStale = () => result.ended || result.turn !== turn;
  updateButtons();
  try {
    const job = await api.enqueue(model, data, result.stop.signal);
    if (isStale()) return void api.removeJob(job.id).catch(() => {}); // canceled or changed while it was sent
    result.tell(job);
    await watch(result, job.id);
  } catch (error) {
    if (!isStale()) result.fail(error.message);
  }
  updateButtons();
}

async function watch(result, id) {
  const { turn } = result, isStale = () => result.ended || result.turn !== turn;
  result.job = id;
  keepJobs();
  const job = await api.follow(id, (each) => { if (!isStale()) result.tell(each); });
  if (isStale()) return;
  if (job?.state === "done") await result.finish(job);
  else result.fail(job?.message || text(job?.state === "canceled" ? "canceled" : "unreachable"));
  keepJobs();
}

// After a reload: the jobs of this tab go on.
async function resume() {
  const known = new Map();
  for (const id of JSON.parse(sessionStorage.getItem("jobs") ?? "[]")) {
    try {
      const job = await api.readJob(id);
      if (!known.has(job.image)) {
        const blob = await api.readImage(id).catch(() => null);
        known.set(job.image, { name: job.image, url: blob && URL.createObjectURL(blob) });
      }
      const result = addResult(job.model, known.get(job.image));
      watch(result, id).catch((error) => result.fail(error.message)).finally(updateButtons);
    } catch { /* forgotten by the server */ }
  }
  updateButtons();
}

function updateButtons() {
  find("cancel").disabled = results.every((result) => result.ended);
  find("download-all").hidden = !results.some((result) => result.files.length);
}

function downloadAll() {
  for (const link of document.querySelectorAll("#results a.download")) link.click();
}

// --- starting -------------------------------------------------------------------------------------------------------

async function start() {
  try {
    await showModels();
  } catch (error) {
    find("sign-in").hidden = error.status !== 401;
    return say(error.status === 401 ? "" : error.message || text("unreachable"), true);
  }
  find("sign-in").hidden = true;
  openViews();
  document.documentElement.dataset.ready = "";
  await resume();
}

const languages = find("language");
for (const [value, name] of Object.entries(LANGUAGES)) languages.append(element("option", { value, textContent: name }));
languages.value = preferredLanguage();
languages.addEventListener("change", () => useLanguage(languages.value));
await useLanguage(languages.value);
listenForImages();
find("run").addEventListener("click", run);
find("cancel").addEventListener("click", () => {
  for (const result of results) if (!result.ended) result.abort();
  keepJobs();
  updateButtons();
});
find("download-all").addEventListener("click", downloadAll);
find("editor").addEventListener("misfit", (event) => say(text("misfit", { name: event.detail }), true));
find("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  api.keepToken(find("token").value.trim());
  start();
});
translate(document);
api.findToken();
addEventListener("hashchange", () => { if (location.hash) location.reload(); });
await start();
