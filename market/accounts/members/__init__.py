"""Joining an organisation, its staff, and what offices do with organisations."""
