"""Where everything that is installed comes from: pinned, hashed, listed, and asked about."""
