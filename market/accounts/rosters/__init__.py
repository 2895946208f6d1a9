"""Yearly lists (名单库) of organisations by credit code."""
