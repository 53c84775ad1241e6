"""Promises about the map of a repository."""
