"""Readers of test reports: bytes that untrusted code wrote become `TestCase` values."""
