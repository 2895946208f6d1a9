"""Search pages, the indexer, and how documents reach the engine."""
