"""A name that the frame of all pages sets is set by no page: the frame's value would win."""

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parents[2] / "templates"
_SET = re.compile(r"^{%-? set (\w+)", re.MULTILINE)
FRAMES = [TEMPLATES / "base.html", *sorted((TEMPLATES / "layouts").glob("*.html"))]
PAGES = [path for path in sorted(TEMPLATES.rglob("*.html")) if path not in FRAMES]


def names(path):
    return set(_SET.findall(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_pages_set_no_name_of_the_frame(page):
    if "{% extends" in page.read_text(encoding="utf-8"):
        assert not names(page) & set().union(*map(names, FRAMES))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_pages_with_a_file_field_tell_which_file_was_chosen(page):
    text = page.read_text(encoding="utf-8")
    if "{% extends" in text and "file_field(" in text:
        assert "static_url('files.js')" in text
