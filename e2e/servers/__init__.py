"""Real metric servers, and a shop that they measure."""
