"""Pages are one file that asks nobody for anything."""

from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from restore.core.pages.embedding import embed_image
from restore.core.pages.page import Page, fill_template, read_data, read_static


def some_image(mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> Image.Image:
    levels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 4), dtype=np.uint8)
    return Image.fromarray(levels, "RGBA").convert(mode)


def decode(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.partition("base64,")[2])))


def test_text_in_a_template_is_escaped_and_markup_is_not() -> None:
    inner = fill_template("<b>{{ name }}</b>", name="<script>alert(1)</script>")
    assert fill_template("{{ inner }}", inner=inner) == "<b>&lt;script&gt;alert(1)&lt;/script&gt;</b>"


def test_numbers_in_a_page_can_be_read_again_and_end_no_element() -> None:
    page = Page(title="<t>", body=fill_template("<p>x</p>"), data={"name": "</script><b>", "none": float("nan")}).html()
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    assert json.loads(found[1]) == {"name": "</script><b>", "none": None}
    assert read_data(page.encode()) == json.loads(found[1])
    with pytest.raises(ValueError, match="no data"):
        read_data(b"<p>x</p>")
    assert "<title>&lt;t&gt;</title>" in page


def test_a_page_names_no_address() -> None:
    page = Page(title="t", body=fill_template("<p>x</p>"), scripts=[read_static("slider.js"), read_static("zoom.js")])
    assert page.html() == page.html()
    assert "default-src 'none'" in page.policy
    assert page.policy.count("sha256-") == 3
    assert "http:" not in page.html()
    assert "https:" not in page.html()


def test_a_script_that_would_end_its_own_element_is_refused() -> None:
    with pytest.raises(ValueError, match="</script>"):
        Page(title="t", body=fill_template(""), scripts=['x = "</SCRIPT>"']).html()


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA", "P", "CMYK", "1"])
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_images_of_every_mode_become_part_of_a_page(mode: str, kind: Any) -> None:
    if mode == "CMYK" and kind == "png":
        pytest.skip("PNG has no CMYK")
    address = embed_image(some_image(mode), max_side=20, kind=kind)
    assert address == embed_image(some_image(mode), max_side=20, kind=kind)
    assert decode(address).size == (20, 15)


def test_png_keeps_every_pixel_and_jpeg_puts_transparent_ones_on_white() -> None:
    image = some_image()
    assert np.array_equal(np.asarray(decode(embed_image(image, max_side=None, kind="png"))), np.asarray(image))
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert np.asarray(decode(embed_image(clear))).min() > 250


@pytest.mark.browser
def test_the_slider_and_the_views_work_in_a_browser(tmp_path: Path, browser: Any) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    dark, light = (embed_image(Image.new("RGB", (200, 100), color)) for color in ("black", "white"))
    body = fill_template(
        '<compare-slider><img alt="a" src="{{ dark }}"><img alt="b" src="{{ light }}"></compare-slider>'
        '{% for name in "xy" %}<zoom-view group="g" tabindex="0" id="{{ name }}"><img alt="" src="{{ dark }}">'
        "</zoom-view>{% endfor %}",
        dark=dark,
        light=light,
    )
    scripts = [read_static("slider.js"), read_static("zoom.js")]
    (tmp_path / "page.html").write_text(Page(title="t", body=body, scripts=scripts).html(), encoding="utf-8")
    browser.get((tmp_path / "page.html").as_uri())
    slider = browser.find_element(By.TAG_NAME, "compare-slider")
    slider.find_element(By.TAG_NAME, "input").send_keys(Keys.HOME)
    pixels = np.asarray(Image.open(io.BytesIO(slider.screenshot_as_png)).convert("L"))
    assert pixels[50, 100] == 255  # the second image covers all
    slider.find_element(By.TAG_NAME, "input").send_keys(Keys.END)
    pixels = np.asarray(Image.open(io.BytesIO(slider.screenshot_as_png)).convert("L"))
    assert pixels[50, 100] == 0
    browser.find_element(By.ID, "x").send_keys("+", Keys.ARROW_RIGHT)
    states = [browser.execute_script(f"return document.getElementById('{name}').state") for name in "xy"]
    assert states[0] == states[1]
    assert states[0]["zoom"] == 1.25
    browser.find_element(By.ID, "y").send_keys("0")
    assert browser.execute_script("return document.getElementById('x').state") == {"zoom": 1, "x": 0, "y": 0}
    assert not browser.get_log("browser")
