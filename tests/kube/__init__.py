"""Talking to an API server that follows a script."""
