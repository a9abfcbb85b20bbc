"""What does an Experiment do next? Its ReplicaSets side by side, what is measured of them, and its verdict."""
