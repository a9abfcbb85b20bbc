"""What do people get to see of a Rollout? Pure: raw objects and a time in, rows, trees and JSON out.

The command line, the dashboard and the tests share it, so they can't disagree.
"""
