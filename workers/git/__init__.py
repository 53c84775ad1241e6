"""Git on the host: bare mirrors and plumbing only, never a work tree that untrusted code has touched.

command  the hardened environment every git process gets
mirror   one bare mirror per repository: fetch a pinned commit, translate what goes wrong
mirrors  where mirrors lie, and how those of repositories that are gone leave the disk
lineage  the first-parent history between two commits, and what it changed
tree     the files of one commit: list, read, archive, diff and apply without checking anything out
"""
