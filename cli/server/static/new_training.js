// The form of a new training: a task, and its settings as the server describes them.
import { listTasks, readTask, startTraining } from "./api.js";
import { element } from "./elements.js";
import { OptionsForm } from "./form.js";
import { selectRun } from "./runs.js";
import { text } from "./texts.js";

const find = (id) => document.getElementById(id);
let say = () => {}, prepared = false, task = null, forms = [];

// Fills the list of tasks when the view is opened first; `tell` shows a message.
export async function prepareForm(tell) {
  if (prepared) return;
  say = tell;
  try {
    const { tasks, limits, folders } = await listTasks();
    prepared = true;
    const missing = folders.length ? (limits.at_once ? "" : "noTrainings") : "noFolder";
    find("new-training").hidden = Boolean(missing);
    find("no-training").hidden = !missing;
    if (missing) Object.assign(find("no-training"), { textContent: text(missing) }).dataset.text = missing;
    else await openForm(tasks);
  } catch (error) {
    say(error.message || text("unreachable"), true);
  }
}

async function openForm(tasks) {
  for (const { id } of tasks) find("task").append(element("option", { value: id, textContent: id }));
  const kept = sessionStorage.getItem("task");
  if (tasks.some(({ id }) => id === kept)) find("task").value = kept;
  find("task").addEventListener("change", () => {
    forms = [];
    chooseTask();
  });
  find("start").addEventListener("submit", (event) => {
    event.preventDefault();
    start(event.submitter);
  });
  addEventListener("language", () => task && showForm());
  await chooseTask();
}

// Asks for the fields of the chosen task; names of what has settings of its own, such as an architecture, bring more.
async function chooseTask(names = {}) {
  const id = find("task").value;
  sessionStorage.setItem("task", id);
  try {
    task = { ...(await readTask(id, names)), id };
    showForm();
  } catch (error) {
    say(error.message || text("unreachable"), true);
  }
}

function showForm() {
  const typed = new Map([...controls()].filter(([field, input]) => isChanged(field, input)).map(([field, input]) => [field.name, valueOf(input)]));
  const open = forms.map((form) => form.element.open);
  find("task-summary").textContent = task.summary;
  const first = task.fields.filter((field) => !field.group), others = task.fields.filter((field) => field.group);
  forms = [["mainSettings", first], ["allSettings", others]].map(([name, fields]) => new OptionsForm({ name: text(name), fields }));
  for (const [place, form] of forms.entries()) form.element.open = open[place] ?? place === 0;
  find("settings").replaceChildren(...forms.map((form) => form.element));
  for (const [field, input] of controls()) {
    if (typed.has(field.name)) setValue(input, typed.get(field.name));
    if (task.names.includes(field.name)) input.addEventListener("change", () => chooseTask(chosenNames()));
  }
}

function* controls() {
  for (const form of forms) {
    for (const field of form.model.fields) {
      const input = form.controls.get(field.name);
      if (field.kind !== "choices") yield [field, input];
    }
  }
}

const valueOf = (input) => (input.type === "checkbox" ? String(input.checked) : input.value);
const isChanged = (field, input) => valueOf(input) !== String(field.default ?? (field.kind === "switch" ? false : ""));

function setValue(input, value) {
  if (input.type === "checkbox") input.checked = value === "true";
  else if (input.tagName !== "SELECT" || [...input.options].some((option) => option.value === value)) input.value = value;
}

const chosenNames = () => Object.fromEntries([...controls()]
  .filter(([field, input]) => task.names.includes(field.name) && isChanged(field, input) && input.value)
  .map(([field, input]) => [field.name, input.value]));

async function start(button) {
  const data = new FormData();
  for (const form of forms) form.fill(data);
  if (button) button.disabled = true;
  try {
    const training = await startTraining(task.id, data);
    say("");
    selectRun(training.run);
    find("trainings-heading").scrollIntoView({ behavior: "smooth", block: "nearest" });
  } catch (error) {
    say(error.message || text("unreachable"), true);
    find("status").scrollIntoView({ behavior: "smooth", block: "center" });
  }
  if (button) button.disabled = false;
}
