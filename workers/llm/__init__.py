"""Talking to a model: the client over the openai SDK, what endpoints can and cannot do, and what answers cost."""
