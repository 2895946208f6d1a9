"""Vouchers: schemes, vouchers, claims and their payment."""
