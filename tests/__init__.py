"""Tests of Heal and the stateful doubles they talk to."""
