"""The REST operations of the double, one file per family."""
