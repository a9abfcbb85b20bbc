"""What `rollouts demo` shows: a frame of programs, a user and a stage, and a story for each strategy."""
