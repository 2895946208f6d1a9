"""What an office sets for its own area: leading industries, recommendations, synonyms."""
