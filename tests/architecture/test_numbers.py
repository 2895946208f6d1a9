"""Two letters at the head of a number stand for one kind of thing."""

import re
from collections import defaultdict
from pathlib import Path

import market

SERIES = re.compile(r"^\w*SERIES = (.*)$", re.MULTILINE)
# Inquiries are put in one module and answered in another.
SHARED = {"DJ": {"matching/inquiring.py", "matching/service.py"}}


def test_letters_of_numbers_are_not_shared():
    root = Path(market.__file__).parent
    found = defaultdict(set)
    for path in root.rglob("*.py"):
        for line in SERIES.findall(path.read_text(encoding="utf-8")):
            for letters in re.findall(r"\"([A-Z]{2})\"", line):
                found[letters].add(path.relative_to(root).as_posix())
    assert {"CG", "XQ", "JB", "TJ"} <= set(found)
    assert {key: files for key, files in found.items() if len(files) > 1} == SHARED
