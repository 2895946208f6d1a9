"""Achievements and demands: two kinds of listing that share one life."""
