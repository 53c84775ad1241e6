"""Properties of everything that reads text from outside, and of the whole receiver; `make fuzz` runs them for long.

In the suite each has a few dozen inputs, always the same ones. A crash that `make fuzz` finds becomes a case in the
tests of its reader.
"""
