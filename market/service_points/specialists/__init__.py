"""Brokers (技术经理人) and experts: recorded by offices, public only with their consent."""
