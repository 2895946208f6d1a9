"""House rules that a reader of the code relies on."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = [*(ROOT / "market").rglob("*.py"), *(ROOT / "search_index").rglob("*.py")]


def test_import_contracts():
    command = [ROOT / ".venv/bin/lint-imports", "--config", "setup.cfg"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_file_outgrows_its_room():
    long = {
        str(path.relative_to(ROOT)) for path in CODE if len(path.read_text().splitlines()) > 420
    }
    assert long == set()


def test_commits_only_in_the_unit_of_work():
    writers = {
        path.name for path in CODE if re.search(r"\bsession(\(\))?\.commit\(", path.read_text())
    }
    assert writers == {"unit_of_work.py"}
