"""Inbox, mail and SMS: what other rooms ask to tell, from the outbox to its receivers."""
