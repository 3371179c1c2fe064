// The words of the page: one file a language. Elements name theirs with data-text, data-label and data-placeholder.
export const LANGUAGES = { en: "English", de: "Deutsch", zh: "中文" };
let texts = {};

export function preferredLanguage() {
  const wanted = [localStorage.getItem("language"), ...navigator.languages].map((tag) => tag?.slice(0, 2));
  return wanted.find((tag) => tag in LANGUAGES) ?? "en";
}

export async function useLanguage(language) {
  texts = await (await fetch(`/static/${language}.json`)).json();
  document.documentElement.lang = language;
  localStorage.setItem("language", language);
  translate(document);
  dispatchEvent(new Event("language")); // for words that are made with values
}

// text("tiles", { done: 1, total: 4 }) fills {done} and {total}.
export function text(name, values = {}) {
  return (texts[name] ?? name).replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

export function translate(root) {
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
    element.title = text(element.dataset.label);
  }
  for (const element of root.querySelectorAll("[data-placeholder]")) {
    element.placeholder = text(element.dataset.placeholder);
  }
}
