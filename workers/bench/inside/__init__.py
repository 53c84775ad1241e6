"""Files that are sent into the sandbox as they are; nothing here is run on the host. Standard library only."""
