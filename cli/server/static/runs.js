// The list of runs, and one of them: its state, curves, newest samples and report, as the server tells of changes.
import { openReport, readCurves, readSheet, resumeRun, stopTraining } from "./api.js";
import { showValues } from "./chart.js";
import { element } from "./elements.js";
import { text } from "./texts.js";

const find = (id) => document.getElementById(id);
const runs = new Map(); // by identifier, as the server described them last
let order = [], trainings = [], folders = [], problems = [];
let selected = sessionStorage.getItem("run"), shown = {}; // shown: what of the selected run is on the page

addEventListener("language", () => order.length && showAll());

// Takes in what the server tells: the runs that changed, the order of all, and its trainings.
export function showRuns(state) {
  for (const run of state.runs) runs.set(run.id, run);
  const first = !folders.length;
  ({ order, trainings, folders, problems } = state);
  if (first) find("new-training").open = !order.length && !trainings.length;
  for (const id of runs.keys()) if (!order.includes(id)) runs.delete(id);
  showAll();
}

// Shows a run, as soon as there is one.
export function selectRun(id) {
  selected = id;
  sessionStorage.setItem("run", id);
  showAll();
}

function showAll() {
  find("no-runs").hidden = !folders.length || order.length > 0;
  const buttons = order.map((id) => describe(runs.get(id)));
  const focused = document.activeElement?.closest("#runs li")?.dataset.id;
  find("runs").replaceChildren(...buttons, ...problems.map((problem) => element("li", { className: "bad-text", textContent: problem })));
  if (focused) [...find("runs").children].find((item) => item.dataset.id === focused)?.querySelector("button").focus();
  showSelected();
}

// --- the list ---------------------------------------------------------------------------------------------------------

const number = (value, digits) => (value === null ? "–" : value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: digits }));

function duration(seconds) {
  if (seconds < 90) return text("seconds", { count: number(seconds, 0) });
  if (seconds < 5400) return text("minutes", { count: number(seconds / 60, 0) });
  return text("hours", { count: number(seconds / 3600, 1) });
}

const facts = (run) => [
  run.task,
  text("epochs", { done: run.epochs, total: run.of_epochs ?? "?" }),
  duration(run.seconds),
  `${number(run.bytes / 1e6, 1)} MB`,
].join(" · ");

const stateOf = (run) => element("span", { className: `state ${run.state}`, textContent: text(`state-${run.state}`) });

// What stands beside a value that is not that of all images.
const coverage = ({ images, left_out: out }) => (out ? `; ${text("countedImages", { counted: images - out, images })}` : "");

function describe(run) {
  const best = run.metrics.map((metric) => `${metric.name} ${number(metric.value, 4)} (${metric.convention}${coverage(metric)})`).join(", ");
  const button = element("button", { type: "button", className: "run", ariaPressed: String(run.id === selected), onclick: () => selectRun(run.id) },
    element("span", { className: "row" }, element("strong", { textContent: run.name }), stateOf(run)),
    element("small", { textContent: facts(run) }), element("small", { textContent: best }));
  return element("li", { dataset: { id: run.id } }, button);
}

// --- the selected run -------------------------------------------------------------------------------------------------

function showSelected() {
  const run = runs.get(selected);
  find("run-section").hidden = !run;
  if (!run) return;
  if (shown.id !== run.id) {
    shown = { id: run.id };
    for (const part of ["run-report", "run-curves"]) find(part).replaceChildren();
    find("run-samples").hidden = true;
  }
  find("run-heading").replaceChildren(run.name, " ", stateOf(run));
  const ending = run.ending === "interrupted" ? text("state-interrupted") : run.ending;
  find("run-facts").textContent = [facts(run), ending].filter(Boolean).join(" · ");
  find("run-warnings").replaceChildren(...run.warnings.map((warning) => element("p", { className: "quiet", textContent: warning })));
  showActions(run);
  showCurves(run);
  showSamples(run);
}

function showActions(run) {
  const training = trainings.find((each) => each.run === run.id && ["waiting", "running", "stopping"].includes(each.state));
  const actions = [];
  if (training) actions.push(["stop", () => stopTraining(training.id), training.state === "stopping"]);
  else if (run.state !== "running" && folders.length) actions.push(["resume", () => resume(run)]);
  if (run.report) actions.push(["report", () => showReport(run)]);
  const wanted = JSON.stringify([run.id, training?.id, actions.map(([name, , off]) => [name, off])]);
  if (shown.actions === wanted) return; // so that a button keeps the focus
  shown.actions = wanted;
  find("run-actions").replaceChildren(...actions.map(([name, act, disabled]) => {
    const button = element("button", { type: "button", text: name, disabled: Boolean(disabled) });
    button.addEventListener("click", () => attempt(button, act));
    return button;
  }));
  if (actions.some(([name]) => name === "resume")) {
    const field = element("input", { type: "number", id: "resume-epochs", min: 1, step: 1, value: run.of_epochs ?? "" });
    find("run-actions").prepend(element("label", { htmlFor: field.id, text: "epochsToTrain" }), field);
  }
}

async function attempt(button, act) {
  button.disabled = true;
  try {
    await act();
    complain("");
  } catch (error) {
    complain(error.message || text("unreachable"));
    button.disabled = false;
  }
}

function complain(message) {
  find("status").textContent = message;
  find("status").classList.toggle("bad", Boolean(message));
  if (message) find("status").scrollIntoView({ behavior: "smooth", block: "center" });
}

async function resume(run) {
  const data = new FormData(), epochs = find("resume-epochs").value;
  if (epochs && epochs !== String(run.of_epochs)) data.append("epochs", epochs);
  await resumeRun(run.id, data);
}

async function showReport(run) {
  const address = await openReport(run.id);
  const frame = element("iframe", { src: address, title: `${text("report")}: ${run.name}` });
  frame.setAttribute("sandbox", "allow-scripts");
  const link = element("a", { href: address, target: "_blank", rel: "noopener", text: "ownTab" });
  const close = element("button", { type: "button", text: "close", onclick: () => { find("run-report").replaceChildren(); shown.actions = ""; showSelected(); } });
  find("run-report").replaceChildren(element("div", { className: "actions" }, link, close), frame);
}

// Draws the curves again after a change; while that is under way, the next change waits.
async function showCurves(run) {
  const own = shown;
  own.wanted = run.version;
  if (own.drawing || own.drawn === run.version) return;
  own.drawing = true;
  const version = run.version;
  try {
    const { groups } = await readCurves(run.id);
    if (own === shown) find("run-curves").replaceChildren(...groups.map(drawGroup));
    own.drawn = version;
  } catch { /* the run was removed, or the server ended; the next event says it */
    own.drawn = version;
  }
  own.drawing = false;
  if (own === shown && own.wanted !== version) showCurves(runs.get(run.id) ?? run);
}

function drawGroup(group) {
  // Drawn by the server, which escapes all names; what is parsed like this runs no scripts either.
  const { body } = new DOMParser().parseFromString(group.charts.join(""), "text/html");
  for (const chart of body.querySelectorAll("figure.chart")) showValues(chart);
  return element("section", {}, element("h3", { textContent: group.heading }), element("div", { className: "charts" }, ...body.childNodes));
}

async function showSamples(run) {
  const own = shown, caption = find("run-samples").querySelector("figcaption");
  if (own.shownSheet) caption.textContent = text("samplesOf", { epoch: own.shownSheet }); // perhaps in another language
  if (run.sheet === null || own.sheet === run.sheet) return;
  own.sheet = run.sheet;
  try {
    const address = URL.createObjectURL(await readSheet(run.id, run.sheet));
    if (own !== shown) return URL.revokeObjectURL(address);
    const figure = find("run-samples"), words = text("samplesOf", { epoch: run.sheet });
    const before = figure.querySelector("img");
    const view = element("zoom-view", { tabIndex: 0, label: "zoomHelp" }, element("img", { src: address, alt: words }));
    view.setAttribute("group", "samples");
    figure.replaceChildren(element("figcaption", { textContent: words }), view);
    figure.hidden = false;
    own.shownSheet = run.sheet;
    if (before) URL.revokeObjectURL(before.src);
  } catch { own.sheet = null; }
}
