"""EXECUTES: runs untrusted commands in hardened containers. Holds no secret and imports nothing else of ours."""
