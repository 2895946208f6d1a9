"""The papers of a contract: prints, certificate, its signature, the public check, contract texts."""

from market.contracts.papers.queries import offered

__all__ = ["offered"]
