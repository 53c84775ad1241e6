"""Planted orders, models that obey them, and whether one has a success.

edits     orders to whoever answers with one edit, and what is answered
orders    orders to the agent, the tester, the critic, the reviser and who answers questions
places    where strangers' words come from, and a run with a text in one of them
obeying   the model that obeys, what it was told, and how its run has to end
harm      what counts as a success of an order, read off what was published and said
"""
