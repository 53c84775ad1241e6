"""What runs inside the sandbox, in the project's own interpreter (3.8 or later), with the standard library alone.

The files are sent as one archive (`workers.spectrum.archive`); nothing here is imported by the worker itself.
"""
