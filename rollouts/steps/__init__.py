"""The built-in steps, one file each; found through the entry point group `rollouts.steps`."""
