"""Importing files on a page: kept privately, checked by the worker, shown, decided, undone."""
