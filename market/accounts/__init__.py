"""Organisations, and later the people who act for them."""
