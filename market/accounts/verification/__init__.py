"""Verification of organisations: their papers, looked at by the office of their place."""
