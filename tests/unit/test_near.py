"""Rings around a place, also inside chosen regions."""

from types import SimpleNamespace

from market.discovery.asking import Places
from market.discovery.near import rings

# Province 1 with prefectures 11 (counties 111, 112) and 12; province 2 with prefecture 21.
FAMILIES = [
    (1, "a", "", None),
    (2, "b", "", None),
    (11, "c", "", 1),
    (12, "d", "", 1),
    (111, "e", "", 11),
    (112, "f", "", 11),
]


def place(*path):
    return SimpleNamespace(id=path[-1], path_ids=path, path="/" + "".join(f"{k}/" for k in path))


def places(near, *chosen):
    return Places({str(one.id): one for one in chosen}, FAMILIES, near=near)


def test_rings_of_a_county():
    assert rings(places(place(1, 11, 111))) == [["111"], ["112", "=11"], ["12", "=1"], ["2"]]


def test_rings_of_a_province_and_of_nothing():
    assert rings(places(place(1))) == [["1"], ["2"]]
    assert rings(places(None)) == []


def test_only_what_was_chosen():
    near = place(1, 11, 111)
    assert rings(places(near, place(1, 11))) == [["111"], ["112", "=11"]]
    assert rings(places(near, place(1, 12), place(2, 21))) == [["12"], ["21"]]
    assert rings(places(near, place(1), place(1, 11, 112))) == [["112"]]
    assert rings(places(place(1), place(1, 11, 112), place(2))) == [["112"], ["2"]]
