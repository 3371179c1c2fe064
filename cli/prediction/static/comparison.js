// The two lists above a slider choose which of the views below it shows; images are in the page only once.
for (const section of document.querySelectorAll("section")) {
  const views = new Map([...section.querySelectorAll("zoom-view img")].map((image) => [image.alt, image]));
  const slider = section.querySelector("compare-slider");
  const shown = [...slider.querySelectorAll("img")];
  const lists = [...section.querySelectorAll("select")];
  const show = () => {
    for (const [place, list] of lists.entries()) {
      const chosen = views.get(list.value);
      if (chosen) Object.assign(shown[place], { src: chosen.src, alt: chosen.alt });
    }
    slider.querySelector("input")?.setAttribute("aria-label", shown.map((image) => image.alt).join(" | "));
  };
  for (const list of lists) list.addEventListener("change", show);
  show();
}
