"""The judge: right as often as it says."""
