"""What every codec promises, over every kind and over the columns that break things. Listed = tested."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthvae.codecs import CODECS
from synthvae.codecs.base import Codec, Draw, State
from synthvae.schema.columns import KINDS, Boolean, Categorical, Column, Datetime, Identifier, Numeric, Personal, Text

MIN_COUNT = 5
RNG = np.random.default_rng(7)
NORMAL = RNG.normal(50, 20, 4000)
WHOLE = np.where(RNG.random(4000) < 0.1, 0, RNG.lognormal(8, 1.5, 4000).astype(np.int64))
SMALL = RNG.integers(0, 100, 4000)
NULLS = RNG.random(4000) < 0.2


def decimals(units: list[int], places: int) -> list[Decimal]:
    return [Decimal(unit).scaleb(-places) for unit in units]


def number(values: Any, type_: pa.DataType, mask: Any = None, **facts: Any) -> tuple[Column, pa.Array]:
    array = pa.array(values, mask=mask).cast(type_)
    return Numeric(name="x", arrow=str(type_), nullable=mask is not None, **facts), array


def moment(values: Any, type_: pa.DataType, **facts: Any) -> tuple[Column, pa.Array]:
    array = pa.array(values, mask=NULLS[: len(values)])
    array = (array.cast(pa.int32()) if type_.bit_width == 32 else array).view(type_)
    return Datetime(name="x", arrow=str(type_), nullable=True, **facts), array


def levels(values: pa.Array, names: tuple[Any, ...], **facts: Any) -> tuple[Column, pa.Array]:
    return Categorical(name="x", arrow=str(values.type), levels=names, **facts), values


ABC = pa.array(RNG.choice(["a", "b", "c"], 400))
ABC_CODED = pa.DictionaryArray.from_arrays(
    pa.array(SMALL[:400] % 3, pa.int8()), pa.array(["c", "b", "a"]), ordered=True
)
COUNTER = pa.array(np.arange(1, 401))

CASES: dict[str, tuple[Column, pa.Array]] = {
    "whole, two blocks": number(WHOLE, pa.int64(), lower=0, upper=10**7, decimals=0),
    "whole, nulls": number(WHOLE, pa.int32(), NULLS, decimals=0),
    "whole, few values": number(SMALL, pa.uint8(), lower=0, upper=99, decimals=0),
    "whole, thousands": number(WHOLE // 1000 * 1000, pa.int64(), decimals=-3),
    "whole, huge": number(np.sort(WHOLE) + (2**63 - 1 - WHOLE.max()), pa.int64(), decimals=0),
    "whole, all of int64": number(RNG.integers(-(2**63) + 1, 2**63 - 1, 4000), pa.int64(), decimals=0),
    "whole, small sample": number(SMALL[:60] * 17, pa.int64(), decimals=0),
    "whole, one row": number([3], pa.int64(), lower=3, upper=3, decimals=0),
    "whole, one row of an open column": number([3], pa.int64(), decimals=0),
    "whole, constant": number(np.full(100, -7), pa.int64(), decimals=0),
    "whole, in a dictionary": (
        Numeric(name="x", arrow="dictionary<values=int64, indices=int32, ordered=0>", decimals=0),
        pa.array(WHOLE).dictionary_encode(),
    ),
    "float": number(NORMAL, pa.float64()),
    "float, bounded": number(np.clip(NORMAL, 10, 90), pa.float64(), NULLS, lower=10.0, upper=90.0),
    "float, single precision": number(NORMAL.astype(np.float32), pa.float32()),
    "float, half precision": number(NORMAL.astype(np.float32), pa.float16()),
    "float, cents": number(np.round(NORMAL, 2), pa.float64(), decimals=2),
    "float, cents in single precision": number(np.round(NORMAL, 2), pa.float32(), decimals=2),
    "float, whole": number(WHOLE.astype(float), pa.float64(), NULLS, decimals=0),
    "float, hundreds": number(np.round(WHOLE, -2).astype(float), pa.float64(), decimals=-2),
    "float, NaN": number(np.where(NULLS, np.nan, NORMAL), pa.float64()),
    "float, enormous": number(NORMAL * 1e306, pa.float64()),
    "float, tiny": number(NORMAL * 1e-310, pa.float64()),
    "float, both": number(np.append(NORMAL * 1e306, -NORMAL * 1e306), pa.float64()),
    "float, mostly 0": number(np.where(SMALL < 95, 0.0, NORMAL), pa.float64()),
    "float, all null": number(np.zeros(50), pa.float64(), np.ones(50, bool)),
    "decimal": number(decimals(WHOLE.tolist(), 2), pa.decimal128(20, 2), NULLS, decimals=2),
    "decimal, coarser": number(decimals((WHOLE * 10**6).tolist(), 8), pa.decimal128(38, 8), decimals=2),
    "decimal, narrow": number(decimals(SMALL.tolist(), 1), pa.decimal128(3, 1), decimals=1),
    "instant, aware": moment(
        WHOLE * 977, pa.timestamp("ms", "Europe/Berlin"), resolution="ms", time_zone="Europe/Berlin"
    ),
    "instant, before 1970": moment(-WHOLE * 3600 * 10**9, pa.timestamp("ns"), resolution="h"),
    "instant, bounded": moment(
        WHOLE % 10**5, pa.timestamp("s"), resolution="s", lower="1970-01-01", upper="1970-01-02T03:46:40"
    ),
    "date": moment(WHOLE % 30_000 - 5000, pa.date32(), resolution="D"),
    "time of day": moment(WHOLE % 86_400, pa.time32("s"), resolution="s"),
    "time of day, minutes": moment(WHOLE % 1440 * 60 * 10**6, pa.time64("us"), resolution="min", upper="24:00"),
    "duration": (
        Numeric(name="x", arrow="duration[us]", nullable=True, decimals=-6),
        pa.array(WHOLE * 10**6, mask=NULLS).view(pa.duration("us")),
    ),
    "date of 64 bits": moment(WHOLE % 30_000 * 86_400_000, pa.date64(), resolution="D"),
    "date, all null": moment(np.zeros(0, np.int64), pa.date32(), resolution="D"),
    "names": levels(ABC, ("a", "b", "c")),
    "names, rare ones": levels(ABC, ("a", "b"), open_share=0.33),
    "names, nullable": levels(pa.array(["a", None, "b"] * 30, pa.large_string()), ("a", "b"), nullable=True),
    "names, as views": levels(ABC.cast(pa.string_view()), ("a", "b", "c")),
    "names, in a dictionary": levels(ABC_CODED, ("c", "b", "a"), ordered=True),
    "names, none left": levels(ABC, (), open_share=1.0, nullable=True),
    "whole levels": levels(pa.array(SMALL % 4), (3, 1, 0, 2)),
    "half levels": levels(pa.array(SMALL % 4 / 2).cast(pa.float32()).cast(pa.float16()), (0.0, 0.5, 1.0, 1.5)),
    "float levels in a dictionary": levels(pa.array(SMALL % 4 / 2).dictionary_encode(), (0.0, 0.5, 1.0, 1.5)),
    "all null": levels(pa.nulls(30), (), nullable=True),
    "all null in a dictionary": levels(pa.nulls(30, pa.dictionary(pa.int8(), pa.null())), (), nullable=True),
    "booleans": (Boolean(name="x", arrow="bool", nullable=True), pa.array([True, None, False] * 20)),
    "booleans, one value": (Boolean(name="x", arrow="bool"), pa.array([True] * 20)),
    "keys": (Identifier(name="x", arrow="int64"), COUNTER),
    "keys, narrow": (Identifier(name="x", arrow="int16", template="{number:4}"), COUNTER.cast(pa.int16())),
    "keys, text": (Identifier(name="x", arrow="string", template="A-{upper:2}{digits:4}"), COUNTER.cast(pa.string())),
    "keys, in a dictionary": (
        Identifier(name="x", arrow="dictionary<values=string, indices=int32, ordered=0>", template="{uuid}"),
        COUNTER.cast(pa.string()).dictionary_encode(),
    ),
    "levels, very many": levels(
        pa.array([f"c{n:03d}" for n in RNG.integers(0, 605, 4000)], mask=NULLS),
        tuple(f"c{n:03d}" for n in range(600)),
        nullable=True,
        open_share=0.01,
    ),
    "levels, very many numbers": levels(
        pa.array(RNG.integers(0, 700, 4000), pa.int32()), tuple(int(n) for n in RNG.permutation(700))
    ),
    "keys that repeat, some missing": (
        Identifier(name="x", arrow="string", nullable=True, template="{uuid}", repeats=0.4),
        pa.array(["k"] * 4000, mask=NULLS),
    ),
    "number, written": (
        Numeric(name="x", arrow="string", nullable=True, decimals=2, format="${:,.2f}", marker="?", open_share=0.0),
        pa.array(np.where(SMALL < 9, "?", [f"${n:,.2f}" for n in NORMAL * 99]), mask=NULLS),
    ),
    "date, written": (
        Datetime(name="x", arrow="large_string", resolution="D", format="%d.%m.%Y", open_share=0.0),
        pa.array([f"{1 + n % 28:02d}.{1 + n % 12:02d}.{1950 + n}" for n in SMALL], pa.large_string()),
    ),
    "keys with a check digit": (
        Identifier(name="x", arrow="int64", template="{number:12}{check:ean}"),
        pa.array(np.arange(10**12, 10**12 + 400)),
    ),
    "personal": (Personal(name="x", arrow="string", category="email"), COUNTER.cast(pa.string())),
    "personal, some missing": (
        Personal(name="x", arrow="large_string", nullable=True, category="phone", locale="de_DE", unique=True),
        pa.array(["secret"] * 4000, pa.large_string(), mask=NULLS),
    ),
    "text": (
        Text(name="x", arrow="string", nullable=True, min_length=0, max_length=99),
        pa.array(["secret " * 20] * 4000, mask=NULLS),
    ),
    "text, many lengths": (
        Text(name="x", arrow="large_string", min_length=0, max_length=100),
        pa.array(["ä" * int(length) for length in SMALL], pa.large_string()),
    ),
    "text, two rows": (Text(name="x", arrow="string", min_length=2, max_length=9), pa.array(["four", "fourteen"])),
    "text, all null": (Text(name="x", arrow="string", nullable=True), pa.nulls(20, pa.string())),
}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[Column, pa.ChunkedArray]:
    column, array = CASES[request.param]
    return column, pa.chunked_array([array.slice(0, len(array) // 2), array.slice(len(array) // 2)], array.type)


def fitted(case: tuple[Column, pa.ChunkedArray]) -> Codec:
    column, values = case
    return CODECS[column.kind].fit(column, values, MIN_COUNT)


def a_draw(rows: int, uniform: float | None = None) -> Draw:
    noise = np.random.default_rng(3).random(rows) if uniform is None else np.full(rows, uniform)
    return Draw(np.arange(rows), noise, 99)


def drawable(codec: Codec) -> np.ndarray[Any, Any]:
    """(n, b) every combination of tokens that sampling can give."""
    blocks = codec.blocks
    if not blocks:
        return np.zeros((10, 0), np.int32)
    tokens = np.flatnonzero(blocks[0].sampleable)[:, None]
    for block in blocks[1:]:
        if block.child:
            assert block.compatible is not None
            allowed = block.compatible[tokens[:, -1]] & block.sampleable
        else:  # a time of day goes with every day, and with nothing else
            known = tokens[:, 0] > 0
            allowed = (np.arange(block.size) > 0) == known[:, None]
        before, after = np.nonzero(allowed)
        tokens = np.concatenate([tokens[before], after[:, None]], axis=1)
    return tokens


def stored(state: State) -> State:
    """A state through JSON and a file of arrays."""
    file = io.BytesIO()
    np.savez(file, **state[1])
    file.seek(0)
    return json.loads(json.dumps(state[0], allow_nan=False)), dict(np.load(file, allow_pickle=False))


def test_every_kind_has_a_codec_and_a_case() -> None:
    assert set(CODECS) == set(KINDS) == {column.kind for column, _ in CASES.values()}


def test_tokens_are_known_and_compatible(case: tuple[Column, pa.ChunkedArray]) -> None:
    codec = fitted(case)
    tokens = codec.encode(case[1])
    assert tokens.dtype == np.int32
    assert tokens.shape == (len(case[1]), len(codec.blocks))
    for block, column in zip(codec.blocks, tokens.T, strict=True):
        assert ((column >= 0) & (column < block.size)).all()
    for place, block in enumerate(codec.blocks):
        if block.child:
            assert block.compatible is not None
            assert block.compatible[tokens[:, place - 1], tokens[:, place]].all()


def test_values_never_seen_get_known_tokens(case: tuple[Column, pa.ChunkedArray]) -> None:
    codec = fitted(case)
    for other, array in CASES.values():
        if other.kind == case[0].kind and array.type == case[1].type:
            tokens = codec.encode(pa.chunked_array([array]))
            for block, column in zip(codec.blocks, tokens.T, strict=True):
                assert ((column >= 0) & (column < block.size)).all()


def test_a_block_says_what_it_is(case: tuple[Column, pa.ChunkedArray]) -> None:
    codec = fitted(case)
    for place, block in enumerate(codec.blocks):
        shape = (codec.blocks[place - 1].size, block.size) if block.child else (block.size,)
        assert block.features.shape[:-1] == shape
        assert block.features.dtype == np.float32
        assert np.isfinite(block.features).all()
        assert np.abs(block.features).max(initial=0) <= 5
        assert block.sampleable.shape == (block.size,)
        assert block.sampleable.any()
    if codec.blocks and case[0].nullable:
        assert codec.blocks[0].sampleable[0]
        if block.child:
            assert block.compatible is not None
            assert block.compatible.any(axis=1).all()


@pytest.mark.parametrize("uniform", [0.0, 0.37, 1 - 2**-53])
def test_drawn_values_land_in_their_token(case: tuple[Column, pa.ChunkedArray], uniform: float) -> None:
    codec = fitted(case)
    tokens = drawable(codec)
    values = codec.decode(tokens, a_draw(len(tokens), uniform))
    assert (codec.encode(pa.chunked_array([values])) == tokens).all()


def test_decoded_values_have_the_type_and_the_nulls(case: tuple[Column, pa.ChunkedArray]) -> None:
    codec = fitted(case)
    tokens = codec.encode(case[1])
    values = codec.decode(tokens, a_draw(len(tokens)))
    values.validate(full=True)
    assert values.type == case[1].type
    assert len(values) == len(case[1])
    if codec.blocks and not codec.report.folded_rows:
        assert values.null_count == case[1].null_count


def test_bounds_hold(case: tuple[Column, pa.ChunkedArray]) -> None:
    column, _ = case
    codec = fitted(case)
    values = codec.decode(drawable(codec), a_draw(len(drawable(codec)))).drop_null()
    if isinstance(column, Numeric) and column.lower is not None and len(values):
        assert column.upper is not None
        assert min(values.to_pylist()) >= column.lower
        assert max(values.to_pylist()) <= column.upper


def test_state_comes_back_identical(case: tuple[Column, pa.ChunkedArray]) -> None:
    codec = fitted(case)
    again = CODECS[case[0].kind].from_state(case[0], stored(codec.state()))
    tokens = codec.encode(case[1])
    assert (again.encode(case[1]) == tokens).all()
    values = [each.decode(tokens, a_draw(len(tokens))).to_pylist() for each in (codec, again)]
    assert repr(values[0]) == repr(values[1])
    assert again.report == codec.report
    assert stored(again.state())[0] == stored(codec.state())[0]
    for one, other in zip(codec.blocks, again.blocks, strict=True):
        assert (one.size, one.child) == (other.size, other.child)
        assert (one.features == other.features).all()
        assert (one.sampleable == other.sampleable).all()


def test_a_state_holds_no_row_by_row_array(case: tuple[Column, pa.ChunkedArray]) -> None:
    for array in fitted(case).state()[1].values():
        assert array.size <= 1200


def test_no_rows_are_no_trouble(case: tuple[Column, pa.ChunkedArray]) -> None:
    codec = fitted(case)
    none = codec.encode(case[1].slice(0, 0))
    assert none.shape == (0, len(codec.blocks))
    assert len(codec.decode(none, a_draw(0))) == 0


def test_rows_do_not_depend_on_their_neighbours(case: tuple[Column, pa.ChunkedArray]) -> None:
    codec = fitted(case)
    tokens, draw = codec.encode(case[1])[:20], a_draw(min(20, len(case[1])))
    whole = codec.decode(tokens, draw).to_pylist()
    part = codec.decode(tokens[7:13], Draw(draw.rows[7:13], draw.uniforms[7:13], draw.key)).to_pylist()
    assert repr(whole[7:13]) == repr(part)
