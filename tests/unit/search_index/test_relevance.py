"""The measure of relevance itself."""

from tests.bench.relevance import KINDS, Paper, measure

PAPERS = [Paper(str(n), f"题{n}", "", (f"词{n}", f"语{n}", f"言{n}")) for n in range(4)]


def test_finding_each_paper_first_is_perfect():
    quality = measure(lambda query: [query.split()[0][1:]], PAPERS, draws=2)
    assert list(quality) == list(KINDS)
    assert all(figure.mrr == figure.recall == 1 for figure in quality.values())


def test_the_third_place_counts_a_third_and_the_eleventh_nothing():
    third = measure(lambda query: ["x", "y", query.split()[0][1:]], PAPERS, draws=1)
    assert round(third["one keyword"].mrr, 4) == 0.3333
    eleventh = measure(lambda query: ["x"] * 10 + [query.split()[0][1:]], PAPERS, draws=1)
    assert eleventh["all keywords"].mrr == eleventh["all keywords"].recall == 0
