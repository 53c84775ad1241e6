"""A failing test out of a bug report: what the report says (`reported`, `stated`), a test made of its own example
(`mechanical`) or by a model (`tester`), where it goes and how it is run (`place`, `runner`), and whether it shows what
was reported (`rules`, `judge`). Nothing of it is run here.
"""
