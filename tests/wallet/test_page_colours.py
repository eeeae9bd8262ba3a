"""The colours of the customer's pages: every text stands out from its ground in light and in dark (WCAG 2.2, 1.4.3)."""

import re
from pathlib import Path

import pytest

import wallet

CSS = (Path(wallet.__file__).parent / "static" / "wallet" / "pages.css").read_text()
#: Text on ground, by the names of the variables.
PAIRS = [
    ("ink", "card"), ("ink", "ground"), ("ink", "note"), ("quiet", "card"), ("quiet", "ground"), ("accent", "card"),
    ("accent-ink", "accent"), ("danger", "card"), ("good", "card"),
]  # fmt: skip


def schemes():
    """The variables of the light scheme, and those of the dark one over them."""
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in CSS.split(":root {")[1:3])
    return {"light": light, "dark": {**light, **dark}}


def luminance(colour):
    def linear(part):
        value = int(part, 16) / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(colour[place : place + 2]) for place in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_is_the_most_there_is():
    assert round(contrast("#000000", "#ffffff"), 2) == 21


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(scheme, text, ground):
    colours = schemes()[scheme]

    assert contrast(colours[text], colours[ground]) >= 4.5
