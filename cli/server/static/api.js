// Talks to the server. The token stands behind # in the printed address; it stays in this tab and is sent as a header.
let token = "";

export function findToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname);
  }
  token = sessionStorage.getItem("token") ?? "";
  return token;
}

export function keepToken(given) {
  sessionStorage.setItem("token", given);
  token = given;
}

export class ServerError extends Error {
  constructor(status, message, retry) {
    super(message);
    this.status = status;
    this.retry = retry;
  }
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { ...options, headers: { Authorization: `Bearer ${token}` } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError(0, "");
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new ServerError(answer.status, said.error ?? answer.statusText, Number(answer.headers.get("Retry-After")) || 2);
}

export const listModels = async () => (await ask("/api/models")).json();
export const readJob = async (id) => (await ask(`/api/jobs/${id}`)).json();
export const readImage = async (id) => (await ask(`/api/jobs/${id}/image`)).blob();
export const readFile = async (id, number) => (await ask(`/api/jobs/${id}/files/${number}`)).blob();
export const removeJob = (id) => ask(`/api/jobs/${id}`, { method: "DELETE" });

// Queues an image; waits while the queue of the server is full, unless the signal says that nobody wants it any more.
export async function enqueue(model, form, signal) {
  for (;;) {
    try {
      return await (await ask(`/api/queue/${encodeURIComponent(model)}`, { method: "POST", body: form, signal })).json();
    } catch (error) {
      if (![429, 503].includes(error.status)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * error.retry));
      signal.throwIfAborted();
    }
  }
}

// Calls `tell` with each event of a stream until it ends; returns the last one.
async function listen(path, tell, signal) {
  const reader = (await ask(path, { signal })).body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "", last;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return last;
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      if (event.startsWith("data: ")) tell((last = JSON.parse(event.slice(6))));
    }
  }
}

// Calls `tell` with each state of a job until it ends; returns the last one.
export const follow = (id, tell) => listen(`/api/jobs/${id}/events`, tell);

// --- runs and trainings -----------------------------------------------------------------------------------------------

const run = (id) => `/api/runs/${encodeURIComponent(id)}`;
export const followRuns = (tell, signal) => listen("/api/runs/events", tell, signal);
export const readCurves = async (id) => (await ask(`${run(id)}/curves`)).json();
export const readSheet = async (id, epoch) => (await ask(`${run(id)}/samples/${epoch}`)).blob();
export const openReport = async (id) => (await (await ask(`${run(id)}/report`, { method: "POST" })).json()).address;
export const resumeRun = async (id, form) => (await ask(`${run(id)}/resume`, { method: "POST", body: form })).json();
export const listTasks = async () => (await ask("/api/tasks")).json();
export const readTask = async (id, names = {}) => (await ask(`/api/tasks/${id}?${new URLSearchParams(names)}`)).json();
export const startTraining = async (task, form) => (await ask(`/api/train/${task}`, { method: "POST", body: form })).json();
export const readLines = async (id, after) => (await ask(`/api/trainings/${id}/lines?after=${after}`)).json();
export const stopTraining = (id, now = false) => ask(`/api/trainings/${id}${now ? "?now=yes" : ""}`, { method: "DELETE" });
