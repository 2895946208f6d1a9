"""Pages and API of the offices that examine voucher money and of the finance offices that pay it."""
