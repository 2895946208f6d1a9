"""Technical ground of every room; no business words in here."""
