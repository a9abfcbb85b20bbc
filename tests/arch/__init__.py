"""The house itself: what is generated is current."""
