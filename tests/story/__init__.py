"""Whole runs through real processes: a delivery in, the double's state out."""
