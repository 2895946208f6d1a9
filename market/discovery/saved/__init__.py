"""Saved searches: what a person wants to hear of, and the digests of what is new."""
