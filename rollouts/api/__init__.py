"""What does the API look like on the wire? Shapes, defaults and notations; no behaviour."""
