"""The checks of chapter 00: right answers pass, typical wrong ones are told what is wrong."""

import pytest

from nasbook.course.exercises import find_exercise, judge
from nasbook.experiment import Outcome


def verdict(number, attempt):
    return judge(find_exercise(f"00.{number}"), attempt)


def valid(history):
    return [record["valid_accuracy"] for record in history]


def test_the_best_epoch_passes():
    assert verdict(1, lambda history: max(history, key=lambda record: record["valid_accuracy"])["epoch"])[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (lambda history: None, "returns nothing"),
        (lambda history: history[-1]["epoch"], "last epoch"),
        (lambda history: max(history, key=lambda record: record["train_accuracy"])["epoch"], "last epoch"),
        (lambda history: valid(history).index(max(valid(history))), "one too small"),
        (lambda history: max(zip(valid(history), range(1, 1 + len(history))))[1], "the earlier"),
        (lambda history: max(valid(history)), "whole number"),
        (lambda history: 0, "not right"),
        (lambda history: history["epoch"], "raised TypeError"),
    ],
)
def test_wrong_best_epochs_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(1, attempt)
    assert kind == "wrong"
    assert says in sentence


RESULT = {"method": "darts", "data": "digits"}


def test_a_short_search_on_digits_passes():
    assert verdict(2, Outcome(RESULT, [{}, {}, {}], []))[0] == "right"


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (RESULT, "what experiment.search returns"),
        (Outcome({**RESULT, "method": "random"}, [{}], []), "darts"),
        (Outcome({**RESULT, "data": "street_numbers"}, [{}], []), "give data="),
        (Outcome({**RESULT, "test_accuracy": 90.0}, [{}], []), "retrain=False"),
        (Outcome(RESULT, [{}] * 10, []), "10 epochs"),
    ],
)
def test_other_searches_are_told_what_is_wrong(attempt, says):
    kind, sentence = verdict(2, attempt)
    assert kind == "wrong"
    assert says in sentence
