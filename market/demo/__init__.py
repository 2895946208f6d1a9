"""Demonstration data, loaded through the ordinary importer."""
