"""The sandbox's promises: pure rules first, then every promise of `run` on the real engine."""
