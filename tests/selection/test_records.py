"""Records of a selection read as one list."""

from nasbook.selection.records import decisions, favourite


def test_decisions_come_in_their_order_stop_after_stop():
    records = [{"decisions": [{"where": "0→2"}, {"where": "1→2"}]}, {"decisions": [{"where": "node 3"}]}]
    assert [made["where"] for made in decisions(records)] == ["0→2", "1→2", "node 3"]


def test_the_favourite_has_the_largest_weight_the_earlier_of_equals_and_none_where_all_are_equal():
    options = ["a", "b", "c"]
    assert favourite({"options": options, "weights": [0.2, 0.5, 0.3]}) == "b"
    assert favourite({"options": options, "weights": [0.4, 0.2, 0.4]}) == "a"
    assert favourite({"options": options, "weights": [1.0, 1.0, 1.0]}) is None
