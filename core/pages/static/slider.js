// <compare-slider><img alt="before"><img alt="after"></compare-slider>: the second image covers the first from a line on.
// A range input moves the line, so that mouse, touch and arrow keys all work. With the attribute "bar" the input lies below
// the images, and dragging an image is free for something else.
class CompareSlider extends HTMLElement {
  connectedCallback() {
    if (this.querySelector("input")) return;
    const [before, after] = this.querySelectorAll("img");
    const input = document.createElement("input");
    Object.assign(input, { type: "range", min: "0", max: "100", step: "0.5", value: "50" });
    input.setAttribute("aria-label", `${before?.alt || "before"} | ${after?.alt || "after"}`);
    input.addEventListener("input", () => this.style.setProperty("--cut", `${input.value}%`));
    this.append(input);
  }
}
customElements.define("compare-slider", CompareSlider);
