"""The typeface of printed reports: names are in many languages, which the fonts built into PDF do not cover."""

from __future__ import annotations

from importlib.resources import files

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

PLAIN, BOLD = "SourceSansPro", "SourceSansPro-Bold"
_FILES = {PLAIN: "SourceSansPro-Regular.ttf", BOLD: "SourceSansPro-Bold.ttf"}


def register() -> None:
    """Make the typeface known to the writer of PDFs; once for each process."""
    known = pdfmetrics.getRegisteredFontNames()
    for name, file in _FILES.items():
        if name not in known:
            pdfmetrics.registerFont(TTFont(name, str(files("font_source_sans_pro") / "files" / file)))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)


def drawable(text: str) -> str:
    """The text with a question mark for each character that the typeface does not have: a gap is seen, not guessed."""
    font = pdfmetrics.getFont(PLAIN)
    assert isinstance(font, TTFont)
    has = font.face.charToGlyph
    return "".join(letter if ord(letter) in has or letter == "\n" else "?" for letter in text)
