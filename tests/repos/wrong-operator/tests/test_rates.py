import pytest

from shipping.rates import FREE_FROM, HEAVY_SURCHARGE, STANDARD, shipping_cost, total


def test_small_orders_pay_the_standard_rate():
    assert shipping_cost(1999, 500) == STANDARD


def test_large_orders_are_free():
    assert shipping_cost(FREE_FROM + 1, 500) == 0


def test_just_below_the_limit_the_standard_rate_is_due():
    assert shipping_cost(FREE_FROM - 1, 500) == STANDARD


def test_the_limit_itself_is_free():
    assert shipping_cost(FREE_FROM, 500) == 0


def test_a_heavy_order_at_the_limit_pays_the_surcharge_alone():
    assert shipping_cost(FREE_FROM, 12_000) == HEAVY_SURCHARGE


def test_the_total_at_the_limit_is_the_subtotal():
    assert total(FREE_FROM, 500) == FREE_FROM


def test_a_negative_subtotal_is_refused():
    with pytest.raises(ValueError, match="never negative"):
        total(-1, 500)
