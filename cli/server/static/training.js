// The training view: it follows the server while it is seen, and shows the trainings that this server started.
import * as api from "./api.js";
import { element } from "./elements.js";
import { prepareForm } from "./new_training.js";
import { showRuns } from "./runs.js";
import { text } from "./texts.js";

const RETRY = 3000; // milliseconds after which a server that does not answer is asked again
const find = (id) => document.getElementById(id);
const outputs = new Map(); // by training: what it wrote, as far as it was asked for
let seen = false, stream = null, last = null;

// --- following the server ---------------------------------------------------------------------------------------------

export function startTrainingView() {
  seen = true;
  prepareForm(say);
  listen();
}

export function stopTrainingView() {
  seen = false;
  stream?.abort();
}

// A hidden tab does not listen: browsers allow only a few connections to one server.
document.addEventListener("visibilitychange", () => (document.hidden ? stream?.abort() : listen()));
addEventListener("language", () => last && showTrainings(last.trainings));

async function listen() {
  if (!seen || document.hidden || (stream && !stream.signal.aborted)) return;
  const own = (stream = new AbortController());
  let failed = "";
  try {
    await api.followRuns((state) => { if (!own.signal.aborted) show(state); }, own.signal);
  } catch (error) {
    failed = error.status === 401 ? error.message : "";
  }
  if (own.signal.aborted) return;
  stream = null;
  say(failed || text("serverEnded"), true);
  find("status").dataset.from = "server"; // it goes away when the server answers again
  setTimeout(listen, RETRY);
}

function show(state) {
  last = state;
  if (find("status").dataset.from === "server") say("");
  showTrainings(state.trainings);
  showRuns(state);
}

function say(message, bad = false) {
  find("status").textContent = message;
  find("status").classList.toggle("bad", bad);
  find("status").dataset.from = "";
}

// --- trainings of this server -----------------------------------------------------------------------------------------

function showTrainings(trainings) {
  find("trainings-section").hidden = !trainings.length;
  const items = new Map([...find("trainings").children].map((item) => [item.dataset.id, item]));
  const wanted = trainings.map((training) => {
    const item = items.get(training.id) ?? makeItem(training);
    fillItem(item, training);
    return item;
  });
  for (const [id, item] of items) if (!wanted.includes(item)) { item.remove(); outputs.delete(id); }
  for (const [place, item] of wanted.entries()) {
    if (find("trainings").children[place] !== item) find("trainings").insertBefore(item, find("trainings").children[place] ?? null);
  }
}

function makeItem(training) {
  const output = element("details", {}, element("summary", { text: "lines" }), element("pre", { tabIndex: 0, label: "lines" }));
  const item = element("li", { dataset: { id: training.id } },
    element("div", { className: "row" }, element("strong", { textContent: training.run.replace(/^[^:]*:/, "") }),
      element("span", { className: "state" }), element("span", { className: "quiet", textContent: training.task })),
    element("p", { className: "message" }), element("div", { className: "actions" }), output);
  outputs.set(training.id, { pre: output.querySelector("pre"), read: 0, wanted: 0, busy: false });
  output.addEventListener("toggle", () => readOutput(training.id, output));
  return item;
}

function fillItem(item, training) {
  const { state } = training;
  const shown = item.querySelector(".state");
  shown.className = `state ${state}`;
  shown.textContent = state === "waiting" ? text("waiting", { count: training.ahead }) : text(`state-${state}`);
  item.querySelector(".message").textContent = training.message;
  item.querySelector(".message").classList.toggle("bad-text", state === "failed");
  const actions = { waiting: "cancel", running: "stop", stopping: "stopNow" };
  const wanted = actions[state] ?? "remove";
  if (item.dataset.action !== wanted) {
    item.dataset.action = wanted;
    const button = element("button", { type: "button", text: wanted });
    button.addEventListener("click", async () => {
      button.disabled = true;
      await api.stopTraining(training.id, wanted === "stopNow").catch((error) => say(error.message, true));
    });
    item.querySelector(".actions").replaceChildren(button);
  }
  const output = outputs.get(training.id);
  output.wanted = training.lines;
  readOutput(training.id, item.querySelector("details"));
}

async function readOutput(id, details) {
  const output = outputs.get(id);
  if (!details.open || output.busy || output.read >= output.wanted) return;
  output.busy = true;
  try {
    const { lines, written } = await api.readLines(id, output.read);
    const atEnd = output.pre.scrollTop + output.pre.clientHeight >= output.pre.scrollHeight - 4;
    output.pre.append(lines.map((line) => `${line}\n`).join(""));
    output.read = written;
    if (atEnd) output.pre.scrollTop = output.pre.scrollHeight;
  } catch { /* forgotten by the server; the next event removes the item */ }
  output.busy = false;
  if (output.read < output.wanted) readOutput(id, details);
}
