"""Intents: what grows out of an inquiry when two organisations begin to negotiate."""
