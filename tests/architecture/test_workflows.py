"""docs/workflows.md shows what the tables of all workflows say."""

from market.rooms import ROOMS
from tests import diagrams

WORKFLOWS = [one for room in ROOMS for one in room.workflows]


def test_the_diagrams_are_those_of_the_tables():
    said = f"docs/workflows.md does not fit the tables: run {diagrams.HOW}"
    assert diagrams.FILE.read_text(encoding="utf-8") == diagrams.document(), said


def test_names_are_given_once():
    names = [one.name for one in WORKFLOWS]
    assert len(set(names)) == len(names)
