"""Conditions: what they mean, how they are written, what is said of those that cannot be met."""

from __future__ import annotations

import pytest

import synthvae as sv
from synthvae.errors import ConditionError
from synthvae.schema.conditions import Bound, Condition, Every, NotNull, Null, Wish, condition_of, wishes
from synthvae.schema.where import parse_where


@pytest.mark.parametrize(
    ("value", "condition"),
    [
        ("a", sv.OneOf("a")),
        (3, sv.OneOf(3)),
        (None, Null()),
        (["a", "b"], sv.OneOf("a", "b")),
        (sv.NOT_NULL, NotNull()),
        (sv.Between(1, 2), sv.Between(1, 2)),
    ],
)
def test_what_users_write_is_a_condition(value: object, condition: Condition) -> None:
    assert condition_of(value) == condition


def test_null_is_allowed_only_where_it_is_named() -> None:
    assert sv.NULL.wish == Wish(null=True, values=False)
    assert sv.OneOf(None).wish == Wish(null=True, values=False, among=())
    assert sv.OneOf("a", None).wish.null
    for condition in (sv.NOT_NULL, sv.Between(0, 1), sv.OneOf("a"), sv.NoneOf("a")):
        assert not condition.wish.null


def test_two_wishes_allow_what_both_allow() -> None:
    both = Every((sv.Between(18, None), sv.Between(None, 65, "left"), sv.NoneOf(40))).wish
    assert both == Wish(without=(40,), lower=(Bound(18),), upper=(Bound(65, closed=False),))
    assert Every((sv.OneOf("a", "b"), sv.OneOf("b", "c"))).wish.among == ("b",)
    assert not Every((sv.NULL, sv.NOT_NULL)).wish.null


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("age >= 65", {"age": sv.Between(65, None)}),
        ("age > 65", {"age": sv.Between(65, None, "right")}),
        ("65 > age", {"age": sv.Between(None, 65, "left")}),
        ("age < -1.5", {"age": sv.Between(None, -1.5, "left")}),
        ("18 <= age < 65", {"age": Every((sv.Between(18, None), sv.Between(None, 65, "left")))}),
        ("sex in ('F', 'X') and age == 3", {"sex": sv.OneOf("F", "X"), "age": sv.OneOf(3)}),
        ("sex in ('F')", {"sex": sv.OneOf("F")}),
        ("sex not in ['F']", {"sex": sv.NoneOf("F")}),
        ("sex != 'F'", {"sex": sv.NoneOf("F")}),
        ("job is null", {"job": sv.NULL}),
        ("job is not null and since >= '2019-01-31'", {"job": sv.NOT_NULL, "since": sv.Between("2019-01-31", None)}),
        ("`hours-per-week` > 40", {"hours-per-week": sv.Between(40, None, "right")}),
        ("`a` == '`b`'", {"a": sv.OneOf("`b`")}),
        ("member and not smokes", {"member": sv.OneOf(True), "smokes": sv.OneOf(False)}),
        ("member == true", {"member": sv.OneOf(True)}),
    ],
)
def test_conditions_as_text(text: str, found: dict[str, Condition]) -> None:
    assert parse_where(text) == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cannot be read"),
        ("age >=", "cannot be read"),
        ("age >= 65 or age < 3", "For 'or' on one column use 'in'"),
        ("age > income", "belong in the schema, as constraints"),
        ("age > __import__('os')", "is not understood"),
        ("f(age) > 3", "is not understood"),
        ("3 > 2", "is not understood"),
        ("age > (1, 2)", "one value at either end"),
        ("age + 1 > 2", "is not understood"),
        ("(" * 500 + "age" + ")" * 500, "Expected such as"),
    ],
)
def test_text_that_is_no_condition(text: str, says: str) -> None:
    with pytest.raises(ConditionError, match=says.replace("(", r"\(")):
        parse_where(text)


def test_unknown_columns_are_named_with_the_nearest() -> None:
    with pytest.raises(ConditionError, match=r"no column 'agee' .did you mean 'age'.*There are: age, sex"):
        wishes({"agee": 3}, ["age", "sex"])


def test_a_range_says_which_ends_it_may_have() -> None:
    with pytest.raises(ConditionError, match="closed must be one of both, left, right, neither; got 'up'"):
        sv.Between(1, 2, closed="up")
