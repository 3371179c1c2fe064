// The two views of the page: to use models, and to train them. The chosen one is kept in this tab.
import { startTrainingView, stopTrainingView } from "./training.js";

const buttons = () => document.querySelectorAll("#views button");

export function openViews() {
  document.getElementById("views").hidden = false;
  for (const button of buttons()) button.addEventListener("click", () => show(button.dataset.view));
  const kept = sessionStorage.getItem("view");
  show(kept === "training" ? kept : "main");
}

function show(view) {
  sessionStorage.setItem("view", view);
  for (const button of buttons()) {
    button.ariaPressed = String(button.dataset.view === view);
    document.getElementById(button.dataset.view).hidden = button.dataset.view !== view;
  }
  if (view === "training") startTrainingView();
  else stopTrainingView();
}
