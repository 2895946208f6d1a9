"""Dispatch (推荐对接): offices send demands to those who may solve them, and keep at it."""
