"""The command line: one file per command, and a few that all commands share."""
