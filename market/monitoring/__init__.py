"""The desks: what waits for whom, over the cases of all rooms."""
