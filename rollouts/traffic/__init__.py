"""Traffic routers: pure translators of a whole Route to the objects of a mesh, a gateway or an Ingress controller."""
