"""Tables: what is decided about a given picture?"""
