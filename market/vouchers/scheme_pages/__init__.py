"""Voucher schemes on pages and in the API: read by everybody, written by offices."""
