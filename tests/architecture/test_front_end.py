"""Our CSS and scripts are plain enough for Chromium 86, small, and ask nobody else."""

import gzip
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "market" / "static"
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
# Came after Chromium 86.
LATE_CSS = [
    r":has\(",
    r":is\(",
    r":where\(",
    r"@container",
    r"@layer",
    r"aspect-ratio",
    r"(?<![-\w])inset\s*:",
    r"accent-color",
    r"(?<![-\w])(?:dvh|svh|lvh)\b",
    r"color-mix\(",
    r"^\s*&",
    r"text-wrap",
    r"scrollbar-gutter",
    r"margin-trim",
]
LATE_JS = [
    r"\.at\(",
    r"structuredClone",
    r"replaceChildren",
    r"\.replaceAll\(",
    r"\?\?=",
    r"\|\|=",
    r"&&=",
    r"Object\.hasOwn",
    r"\.findLast\(",
    r"static\s*\{",
    r"#\w+\s+in\s",
]


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.css")), ids=lambda path: path.name)
def test_css(path):
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
    assert [late for late in LATE_CSS if re.search(late, text, re.M)] == []
    assert "http" not in text
    assert not re.search(r"box-shadow:(?!\s*none)|gradient\(", text)
    assert len(text.encode()) <= 30 * 1024


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_js(path):
    text = path.read_text()
    assert [late for late in LATE_JS if re.search(late, text)] == []
    assert not re.search(r"\beval\(|innerHTML|document\.write|https?://(?!www\.w3\.org)", text)
    assert len(text.encode()) <= 30 * 1024


def test_templates_have_no_inline_script_or_style():
    bad = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:")
    assert [str(page) for page in TEMPLATES if bad.search(page.read_text())] == []


def test_templates_ask_no_other_host():
    bad = re.compile(r"(?:src|href|action)=[\"'](?:https?:)?//")
    assert [str(page) for page in TEMPLATES if bad.search(page.read_text())] == []


def test_no_template_is_unused():
    named = "".join(
        path.read_text()
        for path in [*TEMPLATES, *(ROOT / "market").rglob("*.py")]
        if "__pycache__" not in path.parts
    )
    unused = [
        str(page.relative_to(ROOT / "templates"))
        for page in TEMPLATES
        if str(page.relative_to(ROOT / "templates")) not in named
    ]
    assert unused == []


def test_bootstrap_is_small_when_sent():
    import flask_bootstrap

    css = Path(flask_bootstrap.__file__).parent / "static/bootstrap5/css/bootstrap.min.css"
    ours = (STATIC / "market.css").read_bytes() + (STATIC / "market.js").read_bytes()
    assert len(gzip.compress(css.read_bytes())) + len(gzip.compress(ours)) < 60 * 1024
