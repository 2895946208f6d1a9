"""The county technology market: achievements, demands, contracts and vouchers of counties."""
