"""Bringing two sides together: inquiries on listings (我想对接)."""
