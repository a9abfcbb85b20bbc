"""The pages: what they say is what the product does."""
