"""Git on the host: bare mirrors and plumbing only, never a work tree that untrusted code has touched.

command  the hardened environment every git process gets
bounded  what a process says, with an end to how much and how long
folder   whether a checkout's git folder stands for itself
mirror   one bare mirror per repository: fetch a pinned commit, translate what goes wrong
mirrors  where mirrors lie, and how those of repositories that are gone leave the disk
lineage  the first-parent history between two commits, and what it changed
listing  what a commit's tree holds, and whether it is one that git would make
tree     the files of one commit: list, read, archive, diff and apply without checking anything out
"""
