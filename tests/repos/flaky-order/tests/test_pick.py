from labels.pick import distinct, first


def test_each_label_once():
    assert sorted(distinct(["bug", "docs", "bug"])) == ["bug", "docs"]


def test_the_first_label_is_shown():
    assert first(["bug", "docs", "bug"]) == "bug"
