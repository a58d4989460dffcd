"""Keys: unique, reproducible, of the template's shape, and honest about how many there are."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.codecs.base import Draw
from synthvae.codecs.identifier import IdentifierCodec
from synthvae.codecs.noise import permute, uniforms
from synthvae.errors import ParameterError, SchemaError
from synthvae.evaluation.expectations import patterns
from synthvae.schema.checkdigits import SCHEMES
from synthvae.schema.columns import Identifier
from synthvae.schema.templates import number_template, text_template


def codec(template: str, arrow: str = "string") -> IdentifierCodec:
    return IdentifierCodec(Identifier(name="key", arrow=arrow, template=template))


def mint(template: str, rows: np.ndarray | range, arrow: str = "string", key: int = 1) -> list[object]:
    rows = np.asarray(rows, np.int64)
    return codec(template, arrow).decode(np.zeros((len(rows), 0), np.int32), Draw(rows, np.zeros(0), key)).to_pylist()


def test_keys_that_come_back_may_be_fewer_than_rows() -> None:
    of = IdentifierCodec(Identifier(name="key", arrow="string", template="U{digits:1}", repeats=0.9))
    of.check_room(1000)
    keys = of.decode(np.zeros((1000, 0), np.int32), Draw(np.arange(1000), np.zeros(0), 1)).to_pylist()
    assert set(keys) == {f"U{i}" for i in range(10)}
    assert (of.room, codec("U{digits:1}").room) == (None, 10)


def test_sequences_count_up() -> None:
    assert mint("{sequence:10}", range(3), "int64") == [10, 11, 12]
    assert mint("C-{sequence:9}/x", range(2)) == ["C-9/x", "C-10/x"]
    assert mint("{{{sequence:1}}}", range(1)) == ["{1}"]


@pytest.mark.parametrize(
    ("template", "shape"),
    [
        ("{digits:3}", r"\d{3}"),
        ("{number:3}", r"[1-9]\d\d"),
        ("AB-{upper:1}{lower:2}", r"AB-[A-Z][a-z]{2}"),
        ("{hex:4}", "[0-9a-f]{4}"),
        ("ü{HEX:2}", "ü[0-9A-F]{2}"),
        ("{alnum:2}", "[0-9A-Za-z]{2}"),
    ],
)
def test_every_key_of_the_space_is_minted_once(template: str, shape: str) -> None:
    room = codec(template).capacity
    assert room is not None
    keys = mint(template, range(room))
    assert len(set(keys)) == room
    assert all(re.fullmatch(shape, str(key)) for key in keys)


def test_uuids_are_version_4_and_unique() -> None:
    keys = mint("{uuid}", range(20_000))
    assert len(set(keys)) == 20_000
    assert all(UUID(str(key)).version == 4 and str(UUID(str(key))) == key for key in keys[:500])


def test_a_row_has_one_key_whatever_the_batch() -> None:
    whole = mint("{alnum:20}", range(1000))
    assert mint("{alnum:20}", range(500, 520)) == whole[500:520]
    assert mint("{alnum:20}", range(1000), key=2) != whole
    assert len(set(whole)) == 1000


def test_too_many_rows_are_refused_with_the_size_of_the_space() -> None:
    mint("{digits:2}", range(100))
    with pytest.raises(ParameterError, match=r"at most 100 rows.*Got 101\. .*longer template"):
        mint("{digits:2}", range(101))
    with pytest.raises(ParameterError, match="at most 28 rows"):
        codec("{sequence:100}", "int8").check_room(29)
    assert codec("{sequence:1}").capacity is None


def test_integer_columns_take_digits_only() -> None:
    assert sorted(mint("{number:1}", range(9), "int8")) == list(range(1, 10))
    for template in ("{hex:2}", "A{digits:2}", "{digits:3}", "{sequence:1}{digits:1}", ""):
        with pytest.raises(SchemaError, match="int8"):
            codec(template, "int8")


def test_a_bad_template_lists_every_problem() -> None:
    with pytest.raises(SchemaError) as caught:
        codec("{digts:3}{upper}{ and }")
    assert len(caught.value.problems) == 4
    assert "{digits:N}" in str(caught.value)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 3000), st.integers(0, 2**64 - 1))
def test_permutations_are_permutations(space: int, key: int) -> None:
    assert sorted(permute(key, np.arange(space), space).tolist()) == list(range(space))


def test_permutations_of_large_spaces_stay_inside_and_apart() -> None:
    for space in (2**62, 2**61 + 1, 10**18):
        found = permute(3, np.arange(10_000), space)
        assert len(np.unique(found)) == 10_000
        assert int(found.max()) < space
        assert abs(found.astype(float).mean() / space - 0.5) < 0.02


def test_uniforms_look_uniform_and_belong_to_their_row() -> None:
    drawn = uniforms(5, np.arange(100_000))
    counts = np.bincount((drawn * 100).astype(int), minlength=100)
    assert ((counts - 1000) ** 2 / 1000).sum() < 160  # chi-square with 99 degrees of freedom
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.015
    assert abs(np.corrcoef(drawn, uniforms(6, np.arange(100_000)))[0, 1]) < 0.015
    assert (uniforms(5, np.arange(500, 510)) == drawn[500:510]).all()
    assert drawn.min() >= 0
    assert drawn.max() < 1


def test_keys_are_nullless_and_typed() -> None:
    column = Identifier(name="key", arrow="large_string", template="{uuid}")
    drawn = IdentifierCodec(column).decode(np.zeros((3, 0), np.int32), Draw(np.arange(3), np.zeros(0), 1))
    assert drawn.type == pa.large_string()
    assert drawn.null_count == 0


@pytest.mark.parametrize(
    ("scheme", "made", "template"),
    [
        ("luhn", lambda i: f"4539{i * 7919 % 10**8:08d}", "{digits:12}"),
        ("ean", lambda i: f"978-3-{i * 7919 % 10**7:07d}-", "978-3-{digits:7}-"),
        ("ean", lambda i: f"EAN {400_000_000_000 + i * 7919 * 7919}", "EAN {digits:12}"),
    ],
)
def test_check_digits_are_recognised_and_minted(scheme: str, made: Any, template: str) -> None:
    def digit(text: str) -> int:
        return int(SCHEMES[scheme](np.array([[int(sign) for sign in text if sign.isdigit()]]))[0])

    keys = [f"{made(i)}{digit(made(i))}" for i in range(40)]
    found = text_template(pa.chunked_array([pa.array(keys, pa.large_string())]))
    assert found is not None
    assert found.endswith(f"{{check:{scheme}}}")
    for key in mint(found, range(50)):
        text = str(key)
        assert int(text[-1]) == digit(text[:-1])
        assert re.fullmatch(patterns.regex(found), text)


def test_a_ulid_is_one() -> None:
    keys = [f"01ARZ3NDEK{i:06d}RRFFQ69G5FAV"[:26] for i in range(40)]
    assert text_template(pa.chunked_array([pa.array(keys, pa.large_string())])) == "{ulid}"
    minted = mint("{ulid}", range(2000))
    assert len(set(minted)) == 2000
    assert all(re.fullmatch(r"01[0-9A-HJKMNP-TV-Z]{24}", str(key)) for key in minted)


def test_whole_numbers_have_check_digits_too() -> None:
    numbers = np.array([(10**11 + i * 7919) * 10 for i in range(60)])
    digits = (numbers[:, None] // 10 ** np.arange(13)[::-1] % 10)[:, :-1]
    assert number_template(numbers + SCHEMES["luhn"](digits)) == "{number:12}{check:luhn}"
    assert all(isinstance(key, int) for key in mint("{number:11}{check:luhn}", range(20), "int64"))


def test_a_check_digit_needs_something_to_check() -> None:
    with pytest.raises(SchemaError, match="nothing to check"):
        codec("{check:luhn}{digits:4}")
