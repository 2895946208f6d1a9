"""To whom a firm that keeps its name back lets it be known, case by case."""
