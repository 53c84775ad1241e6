"""A whole installation under faults drawn from a seed: nothing accepted is lost, nothing is done twice."""
