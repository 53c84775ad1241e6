from inventory.stock import count


def test_counts_each_article():
    assert count(["nut", "bolt", "nut"]) == {"nut": 2, "bolt": 1}


def test_nothing_counts_to_nothing():
    assert count([]) == {}
