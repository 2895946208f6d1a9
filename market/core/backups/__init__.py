"""Backups: one signed file of database and uploads, made while the site runs, and brought back."""
