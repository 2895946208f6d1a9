"""The commands in the documents exist, and the data officer's walk works as written."""

import json
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from market.cli import KIND, cli
from market.core import clock
from market.core.sheets import write_table
from market.rooms import KINDS, ROOMS

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _commands(path):
    for block in re.findall(r"```sh\n(.*?)```", path.read_text(), re.S):
        for line in block.splitlines():
            if line.strip():  # the end of a block inside a list is indented
                yield line.split(" #")[0].strip()


@pytest.fixture(autouse=True)
def _all_commands():
    for room in ROOMS:
        for command in room.commands:
            cli.add_command(command)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_commands_exist(path):
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    for line in _commands(path):
        words = shlex.split(line)
        if words[:1] == ["make"]:
            assert words[1] in targets, line
        elif words[:1] == ["market"]:
            _parse(cli, words[1:], line)
        else:
            assert words[:1] == ["export"], f"an unknown kind of command: {line}"


def _parse(command, words, line):
    """Let click read the words without running the command."""
    try:
        context = command.make_context(line, list(words))
    except click.UsageError as error:
        pytest.fail(f"{line}: {error.message}")
    if isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        _name, child, others = command.resolve_command(context, rest)
        _parse(child, others, line)


def test_every_kind_of_file_has_its_commands():
    assert set(KIND.choices) == set(KINDS)


def test_links_lead_somewhere():
    for path in DOCS:
        for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
            if not target.startswith("http"):
                assert (path.parent / target).exists(), f"{path.name} → {target}"


def test_the_walk_of_the_data_officer(settings, tmp_path, monkeypatch):
    """docs/import.md from top to bottom, with the demonstration's tables."""
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MARKET_INSTANCE", str(settings.instance))
    monkeypatch.setenv("MARKET_LOG_LEVEL", "CRITICAL")
    data = ROOT / "market" / "demo" / "data"
    for line in _commands(ROOT / "docs" / "import.md"):
        words = shlex.split(line)
        if words[0] == "export" or words[1] == "undo":
            continue
        if words[1] == "import":  # the clerk has filled the template by now
            _put(words[2], Path(words[3]), data)
        result = CliRunner().invoke(cli, words[1:])
        assert result.exit_code == 0, f"{line}: {result.output}"


REGISTERED = {
    "registration_no": "2026110000000008",
    "title": "茶叶杀青",
    "contract_class": "技术服务",
    "seller": "北京所",
    "buyer": "东坡茶厂",
    "buyer_region": "511402",
    "signed_on": "2026-01-06",
    "registered_on": "2026-01-21",
    "total_fen": "100000",
    "technical_fen": "90000",
}


def _put(kind, path, data):
    """A filled table under the name the document uses."""
    if kind in {"regions", "terms", "pins", "rosters", "contracts", "registrations"}:
        synonyms = {"label": "粉垄", "aliases": "深旋耕|粉垄耕作"}
        industry = {"code": "A0111", "label": "稻谷种植", "parent_code": "A01"}
        rows = {
            "regions": [
                {
                    "code": "511471",
                    "name": "眉山高新区",
                    "level": "县（市、区）",
                    "parent_code": "511400",
                }
            ],
            "terms": [synonyms if path.stem == "同义词" else industry],
            "rosters": [
                {"kind": "高企", "uscc": "12100000400000624D", "name": "某公司", "year": 2025}
            ],
            "contracts": [{"title": "胀袋率控制开发", "buyers-1-name": "某调味品厂"}],
            "registrations": [REGISTERED],
            "pins": [{"region": "511402", "position": 1, "no": f"CG{clock.today().year}000001"}],
        }[kind]
    else:
        lines = (data / f"{kind}.jsonl").read_text().splitlines()
        rows = [
            {
                key: "；".join(value) if isinstance(value, list) else value
                for key, value in row.items()
            }
            for row in map(json.loads, lines)
        ]
    for row in rows:
        if "region_code" in row:
            row["region"] = row.pop("region_code")
    path.unlink(missing_ok=True)
    write_table(path, KINDS[kind].columns(), rows)
