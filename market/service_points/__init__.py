"""The directory: registration bodies, service points, institutions, brokers and experts."""
