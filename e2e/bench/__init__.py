"""How fast and how frugal is the controller on a real control plane? `python -m e2e.bench` tells."""
