"""Experiments of a canary's steps."""
