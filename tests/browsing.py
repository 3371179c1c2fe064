"""A person at the page of ``restore serve`` in a real browser."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from PIL import Image


def wait_for(condition, seconds=90.0):
    """Return the first value of a condition that holds."""
    end = time.monotonic() + seconds
    while True:
        try:
            if found := condition():
                return found
        except Exception:  # elements come and go
            if time.monotonic() > end:
                raise
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


class PageUnderTest:
    """What a person does."""

    def __init__(self, browser, server, folder: Path):
        self.browser, self.server, self.folder = browser, server, folder
        folder.mkdir()
        behavior = {"behavior": "allow", "downloadPath": str(folder)}
        browser.execute_cdp_cmd("Browser.setDownloadBehavior", behavior)
        browser.get("about:blank")
        browser.get(server.running.address)
        self.wait_until_ready()

    def wait_until_ready(self):
        wait_for(lambda: self.browser.execute_script("return 'ready' in document.documentElement.dataset"))

    def find(self, selector):
        return self.browser.find_element("css selector", selector)

    def find_all(self, selector):
        return self.browser.find_elements("css selector", selector)

    def pick(self, *files: Path):
        self.find("#pick").send_keys("\n".join(map(str, files)))
        wait_for(lambda: len(self.find_all("#images img")) + len(self.find_all("#images .blank")) >= len(files))

    def choose(self, model: str):
        self.find(f"#models input[value='{model}']").click()

    def wait_for_editor(self):
        """Wait until the mask editor shows the image and takes strokes."""
        wait_for(lambda: self.find_all("mask-editor[aria-busy=false] .stage img"))

    def set_option(self, model: str, title: str, value: str):
        """Type into a field of a model's options."""
        script = """
            const [model, title, value] = arguments;
            const form = [...document.querySelectorAll("#options details")]
              .find((each) => each.querySelector("summary").textContent === model);
            form.open = true;
            const label = [...form.querySelectorAll("label")].find((each) => each.textContent.trim() === title);
            document.getElementById(label.htmlFor).value = value;
        """
        self.browser.execute_script(script, model, title, value)

    def run(self):
        """Press Run; by script, because the page may still be scrolling."""
        self.browser.execute_script("arguments[0].click()", self.find("#run"))

    def drag(self, *points: tuple[float, float]):
        """Draw a line on the image; points are shares of its width and height."""
        from selenium.webdriver import ActionChains

        stage = self.find("mask-editor .stage")
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", stage)
        box = stage.rect
        actions = ActionChains(self.browser, duration=20)
        for number, (x, y) in enumerate(points):
            actions.move_to_element_with_offset(stage, (x - 0.5) * box["width"], (y - 0.5) * box["height"])
            if number == 0:
                actions.click_and_hold()
        actions.release().perform()

    def save_mask(self) -> np.ndarray:
        """Download the painted mask."""
        (self.folder / "mask.png").unlink(missing_ok=True)
        self.browser.execute_script("document.querySelector('mask-editor [data-text=save]').click()")
        path = wait_for(lambda: (self.folder / "mask.png").exists() and self.folder / "mask.png")
        return np.asarray(Image.open(path))

    def download(self, model: str) -> bytes:
        """Download the result of a model by its link."""
        figure = f"//figure[.//strong[text()='{model}']]"
        link = wait_for(lambda: self.browser.find_element("xpath", f"{figure}//a[contains(@class, 'download')]"))
        path = self.folder / link.get_attribute("download")
        self.browser.execute_script("arguments[0].click()", link)
        return wait_for(lambda: path.exists() and path.read_bytes())

    def problems(self) -> list[str]:
        """Return what the browser complains about: scripts, refused styles, files that are missing."""
        return [entry["message"] for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]
