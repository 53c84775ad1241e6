"""Our own red repositories, and how right Heal is about each."""
