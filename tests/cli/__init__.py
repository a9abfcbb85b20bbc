"""The command line, on an API server of a few lines."""
