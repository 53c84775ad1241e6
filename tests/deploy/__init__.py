"""Tests of what is shipped: images, compose file, examples."""
