"""How we talk to an API server: the only package that does."""
