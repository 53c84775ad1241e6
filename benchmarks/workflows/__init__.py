"""The planner over the workflow files of well-known public projects: which jobs it covers, which it refuses, and why.

corpus   the list of projects, commits and files, and their trees from bare git directories
jobs     which jobs of a file are measured, and which of them are test and lint jobs
survey   one plan per job as the product makes it, and what became of it
table    the figures for people
"""
