"""Traffic by Istio: what its VirtualServices and DestinationRules have to say for a Route."""
