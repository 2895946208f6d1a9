"""What firms, institutes and service points do with technology contracts."""
