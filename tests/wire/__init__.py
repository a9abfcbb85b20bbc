"""One suite for every API server: the dev cluster here, a real one in e2e."""
