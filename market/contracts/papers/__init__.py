"""The papers of a contract: prints, certificate, its signature, the public check, contract texts."""

from market.contracts.papers.queries import may_ask_again, offered

__all__ = ["may_ask_again", "offered"]
