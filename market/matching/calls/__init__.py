"""Calls (揭榜): a demand put out for answers, the answers (应答), and the choice among them."""
