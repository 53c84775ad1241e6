"""A stateful double of GitHub, run as its own process. It imports nothing of the product."""
