"""How does a Deployment become a Rollout, and a Rollout a Deployment again, without a moment of less capacity?

`documents` converts manifests, `course` decides the next step from what is there, `report` tells people of both. All of
it is pure: the command line reads, shows and performs.
"""
