"""Traffic by routes of the Gateway API: what they have to say for a Route, and whether Gateways have taken it in."""
