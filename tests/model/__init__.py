"""An OpenAI-compatible server for tests: its own process, scripted replies and faults, so that the real SDK runs."""
