"""Attacks on the sandbox from inside: each a small script that runs where a stranger's pull request would.

After each the engine and this process are well, and the result names what happened.
"""
