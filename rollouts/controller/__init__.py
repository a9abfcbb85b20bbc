"""The thin shell around the heart: it observes, has `plan` decide, performs, and comes back when told to."""
