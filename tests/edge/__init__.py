"""A proxy at the protocol edge, for tests: what AWS enforces and the embedded AWS does not.

It stands between client or agent and the embedded AWS. `limits` is what API Gateway and IoT Core
allow, `faults` what a network does, `proxy` the socket work.
"""
