"""Which label an issue gets first."""


def distinct(labels: list[str]) -> list[str]:
    """Each label once. The order is whatever a set gives, which depends on the interpreter's hash seed."""
    return list(set(labels))


def first(labels: list[str]) -> str:
    """The label shown in the list."""
    return distinct(labels)[0]
