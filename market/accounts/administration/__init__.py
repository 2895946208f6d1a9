"""Three administrators apart: one for people, one for grants, one for the audit."""
