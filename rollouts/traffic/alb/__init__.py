"""Traffic by AWS Application Load Balancers: what an Ingress has to say for a Route."""
