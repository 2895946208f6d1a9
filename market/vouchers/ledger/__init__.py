"""Double entry of voucher money: accounts, entries that are never changed, balances that are proved."""
