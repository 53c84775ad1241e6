"""How people talk to Heal: the `/heal ...` lines of a comment. Text in, values out; nothing is decided here.

lines    which lines of a comment are its author's own words: no quotes, no code, no HTML comments
grammar  what one such line asks for, or what is wrong with it
"""

from workers.commands.grammar import MOST, Command, Key, Mistake, Verb, Wrong, find, find_all

__all__ = ["MOST", "Command", "Key", "Mistake", "Verb", "Wrong", "find", "find_all"]
