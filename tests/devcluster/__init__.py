"""The embedded API server and its workloads."""
