"""DECIDES: turns an accepted failure into a proven patch. Holds the App key, the model key and the engine's address."""
