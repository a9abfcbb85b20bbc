"""How do plugins that were compiled for Argo Rollouts work with us? In their own protocol, unmodified.

HashiCorp's go-plugin: a process of its own, net/rpc with gob over yamux on a unix socket. `gob`, `yamux`, `netrpc` and
`handshake` are the protocol's layers, `session` puts them together, and `objects` knows what plugins are handed.
All of it is pure: bytes go in and come out.
"""
