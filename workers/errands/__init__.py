"""Short pieces of work with the App's key and without a sandbox: answering people, looking after our pull requests.

They never wait for a run: a process of their own beside each worker takes them from the database.
"""
