"""Numbered bulletins of offices: what has come out that fits a county."""
