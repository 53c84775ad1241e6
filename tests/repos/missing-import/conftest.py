"""Makes the package importable from a plain checkout."""
