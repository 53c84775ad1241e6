"""Measured figures: each module is one benchmark, prints a table, and takes --json. Results are kept in RESULTS.md."""
