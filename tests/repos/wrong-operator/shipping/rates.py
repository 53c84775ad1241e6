"""What it costs to send an order, in cents."""

FREE_FROM = 5000
STANDARD = 490
HEAVY_SURCHARGE = 350
HEAVY_FROM_GRAMS = 10_000


def shipping_cost(subtotal: int, weight_grams: int) -> int:
    """The cost of sending an order. Orders of FREE_FROM cents or more are sent free of charge."""
    cost = 0 if subtotal > FREE_FROM else STANDARD
    if weight_grams >= HEAVY_FROM_GRAMS:
        cost += HEAVY_SURCHARGE
    return cost


def total(subtotal: int, weight_grams: int) -> int:
    """What the customer pays."""
    if subtotal < 0:
        raise ValueError("a subtotal is never negative")
    return subtotal + shipping_cost(subtotal, weight_grams)
