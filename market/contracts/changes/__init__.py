"""What happens to contracts after their decision: changes asked of them, and money received."""
