"""What registration bodies and offices do with contracts."""
