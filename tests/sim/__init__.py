"""Scenarios, their director and traces: does the simulated world do what a file says?"""
