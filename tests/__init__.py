"""The tests, least powerful first: arch, plan, golden, properties, wire."""
