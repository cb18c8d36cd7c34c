from nasbook.runtime.rounding import rounded


def test_floats_keep_five_significant_digits_and_nothing_else_changes():
    assert rounded({"a": [1.2345678, 123456.7, 1e-7 / 3], "b": (2, "text", None, True)}) == {
        "a": [1.2346, 123460.0, 3.3333e-08],
        "b": [2, "text", None, True],
    }
