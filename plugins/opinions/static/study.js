// A session of one observer: trials in an order of their own, answers, and the file that they save.
const study = JSON.parse(document.getElementById("data").textContent);
const find = (id) => document.getElementById(id);
const sections = ["start", "trial", "end"].map(find);
const storageKey = `restore-opinions ${study.study.id}`;
const pairs = study.study.method === "pairs";
let session = null; // { name, session, started, answers }
let trials = [];
let waiting = true;
let shownAt = 0;
let saved = false;

// --- what is kept if the page is reloaded -----------------------------------------------------------------------------

function keep(value) {
  try {
    if (value === null) localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, JSON.stringify(value));
    return true;
  } catch {
    return false; // some browsers keep nothing for files
  }
}

function recall() {
  try {
    const found = JSON.parse(localStorage.getItem(storageKey));
    return Array.isArray(found?.answers) && typeof found.name === "string" && found.name ? found : null;
  } catch {
    return null;
  }
}

// --- trials -----------------------------------------------------------------------------------------------------------

// Numbers in [0, 1) that depend on the text alone (FNV-1a, then mulberry32).
function seededRandom(text) {
  let state = 2166136261;
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffle(items, random) {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
  }
  return mixed;
}

// A random order in which one image does not follow itself, where that is possible.
function spread(items, random) {
  const left = shuffle(items, random);
  const counts = new Map();
  for (const { image } of left) counts.set(image, (counts.get(image) ?? 0) + 1);
  const order = [];
  while (left.length) {
    const last = order.at(-1)?.image;
    const crowded = [...counts].find(([image, count]) => image !== last && 2 * count > left.length)?.[0];
    let index = left.findIndex(({ image }) => image !== last && (crowded === undefined || image === crowded));
    if (index < 0) index = 0;
    const [next] = left.splice(index, 1);
    counts.set(next.image, counts.get(next.image) - 1);
    order.push(next);
  }
  return order;
}

function listItems(images) {
  const methods = study.study.reference === null ? study.study.methods : [...study.study.methods, study.study.reference];
  const shown = pairs
    ? methods.flatMap((one, index) => methods.slice(index + 1).map((other) => [one, other]))
    : methods.map((method) => [method]);
  return images.flatMap((image) => shown.map((methods) => ({ image, methods })));
}

// Adds some trials a second time, more than three trials after the first and not beside their own image where possible.
function addRepeats(order, random) {
  const all = order.map((trial) => ({ ...trial, role: "test" }));
  const mixed = shuffle(order, random);
  let left = study.repeats;
  for (const strict of [true, false]) {
    for (const trial of [...mixed]) {
      if (!left) return all;
      const first = all.findIndex((other) => other.image === trial.image && other.methods === trial.methods);
      const away = (index) => [all[index - 1], all[index]].every((other) => other?.image !== trial.image);
      const places = all.map((_, index) => index + 1).filter((index) => (strict ? index > first + 3 && away(index) : index > first));
      if (!places.length) continue;
      all.splice(places[Math.floor(random() * places.length)], 0, { ...trial, role: "repeat" });
      mixed.splice(mixed.indexOf(trial), 1);
      left--;
    }
  }
  return all;
}

function planTrials(name) {
  const random = seededRandom(`${study.seed}/${study.study.id}/${name}`);
  const items = listItems(study.study.images);
  const practice = study.training_images.length ? listItems(study.training_images) : items;
  const training = spread(shuffle(practice, random).slice(0, study.training), random);
  const all = [
    ...training.map((trial) => ({ ...trial, role: "training" })), ...addRepeats(spread(items, random), random),
  ];
  return pairs ? all.map((trial) => ({ ...trial, methods: shuffle(trial.methods, random) })) : all;
}

// --- showing ----------------------------------------------------------------------------------------------------------

const source = ({ image, method }) => study.sources[study.files[image][method]];

function sourcesOf({ image, methods }) {
  const shown = study.study.method === "double" ? [study.study.reference, ...methods] : methods;
  return shown.map((method) => source({ image, method }));
}

function open(id) {
  for (const section of sections) section.hidden = section.id !== id;
  scrollTo(0, 0);
}

async function showTrial() {
  waiting = true;
  const index = session.answers.length;
  const trial = trials[index];
  const practice = trial.role === "training";
  const before = trials.filter(({ role }) => role === "training").length;
  find("place").textContent = practice
    ? `Practice ${index + 1} of ${before}` : `${index + 1 - before} of ${trials.length - before}`;
  find("progress").value = index / trials.length;
  find("back").disabled = index === 0;
  find("views").classList.add("waiting");
  for (const button of document.querySelectorAll("#answers button")) button.classList.remove("chosen");
  open("trial");
  const images = [...document.querySelectorAll("#views img")];
  const addresses = sourcesOf(trial);
  images.forEach((image, number) => { image.src = addresses[number]; });
  try {
    await Promise.all(images.map((image) => image.decode()));
  } catch {
    find("place").textContent = "This browser cannot show the image. Nothing is lost: open this page in another one.";
    return;
  }
  document.querySelector("zoom-view").moveGroup({ zoom: 1, x: 0, y: 0 });
  find("views").classList.remove("waiting");
  shownAt = performance.now();
  waiting = false;
  if (index + 1 < trials.length) for (const address of sourcesOf(trials[index + 1])) new Image().src = address; // decode ahead
}

function answer(value) {
  if (waiting || find("trial").hidden) return;
  const { image, methods, role } = trials[session.answers.length];
  const seconds = Math.round(performance.now() - shownAt) / 1000;
  const shown = pairs
    ? { image, methods, preferred: methods[Number(value) - 1], role } : { image, method: methods[0], score: Number(value), role };
  session.answers.push({ ...shown, seconds });
  keep(session);
  proceed();
}

function goBack() {
  if (waiting || find("trial").hidden || !session.answers.length) return;
  const { preferred, score } = session.answers.pop();
  keep(session);
  showTrial().then(() => {
    const value = pairs ? trials[session.answers.length].methods.indexOf(preferred) + 1 : score;
    document.querySelector(`#answers button[value="${value}"]`)?.classList.add("chosen");
  });
}

function proceed() {
  if (session.answers.length < trials.length) showTrial();
  else finish();
}

// --- beginning and end ------------------------------------------------------------------------------------------------

function begin(started) {
  session = started;
  trials = planTrials(session.name);
  session.answers = session.answers.slice(0, trials.length);
  keep(session);
  proceed();
}

function drawCode(length = 6) {
  const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"; // none that looks like another
  return [...crypto.getRandomValues(new Uint8Array(length))].map((byte) => letters[byte % letters.length]).join("");
}

function describe() {
  return JSON.stringify({
    format: "restore-opinions",
    version: 1,
    study: study.study,
    observer: { name: session.name, session: session.session },
    started: session.started,
    finished: session.answers.length === trials.length,
    screen: { width: screen.width, height: screen.height, pixel_ratio: devicePixelRatio, window: [innerWidth, innerHeight] },
    [pairs ? "preferences" : "ratings"]: session.answers,
  }, null, 1);
}

function finish() {
  saved = false;
  find("next").disabled = true;
  const link = find("save");
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([describe()], { type: "application/json" }));
  link.download = `answers-${session.name.replace(/[^\p{L}\p{N}_-]+/gu, "-")}-${session.session}.json`;
  open("end");
  if (study.post) send();
}

async function send() {
  find("sent").textContent = "Sending your answers …";
  try {
    // Plain text asks the server for no permission first; the body is JSON all the same.
    const reply = await fetch(study.post, { method: "POST", headers: { "Content-Type": "text/plain" }, body: describe() });
    if (!reply.ok) throw new Error(`status ${reply.status}`);
    find("sent").textContent = "Your answers were sent.";
    leaveSaved();
  } catch {
    find("sent").textContent = "Your answers could not be sent. Save them, please.";
  }
}

function leaveSaved() {
  saved = true;
  find("next").disabled = false;
}

function welcome() {
  session = null;
  trials = planTrials("");
  const practice = trials.filter(({ role }) => role === "training").length;
  const many = (number) => `${number} ${pairs ? "pair" : "image"}${number === 1 ? "" : "s"}`;
  find("count").textContent = many(trials.length - practice);
  find("practice").textContent = practice ? ` Before them come ${many(practice)} for practice, which do not count.` : "";
  find("name").value = drawCode();
  const kept = recall();
  find("unfinished").hidden = kept === null;
  find("begin").hidden = kept !== null;
  if (kept) find("resume").textContent = `Go on where ${kept.name} stopped (after ${kept.answers.length} answers)`;
  find("forgetful").hidden = keep(kept);
  open("start");
  find(kept ? "resume" : "name").focus();
  if (!kept) find("name").select();
}

find("begin").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = find("name").value.trim().replace(/\p{Cc}/gu, "");
  if (name) begin({ name, session: drawCode(12), started: new Date().toISOString(), answers: [] });
});
find("resume").addEventListener("click", () => begin(recall()));
find("discard").addEventListener("click", () => { keep(null); welcome(); });
find("back").addEventListener("click", goBack);
find("save").addEventListener("click", leaveSaved);
find("next").addEventListener("click", () => { keep(null); welcome(); });
for (const button of document.querySelectorAll("#answers button")) {
  button.addEventListener("click", () => answer(button.value));
}
// Magnifies without a view that has the focus, whose outline would mark one of two images.
function forwardKey({ key, target }) {
  const view = document.querySelector("zoom-view");
  const moves = key.startsWith("Arrow") && view.state.zoom > 1; // else the arrows scroll the page
  if (target.closest?.("zoom-view") || !(moves || ["+", "=", "-", "0"].includes(key))) return false;
  view.dispatchEvent(new KeyboardEvent("keydown", { key }));
  return true;
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || find("trial").hidden) return;
  const button = document.querySelector(`#answers button[value="${CSS.escape(event.key)}"]`);
  if (button) answer(button.value);
  else if (event.key === "Backspace") goBack();
  else if (!forwardKey(event)) return;
  event.preventDefault();
});
addEventListener("beforeunload", (event) => {
  if (session && !saved && session.answers.length && !keep(session)) event.preventDefault();
});
welcome();
