"""Measures how well Heal heals: suites of red repositories, each taken through the real pipeline, and their scores.

A suite knows where its cases come from and how a patch is judged; everything else here knows no suite.
"""
