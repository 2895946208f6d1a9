"""First demands without an account, and what offices type for callers (代录)."""
