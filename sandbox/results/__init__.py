"""Readers of test reports: bytes that untrusted code wrote become `TestCase` values.

Each module knows one format and offers `parse`, which never raises and is bounded in time and memory by its input.
"""
