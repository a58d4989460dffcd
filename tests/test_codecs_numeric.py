"""Numbers: what becomes an atom, where bins lie, what comes back, and what is nowhere to be found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthvae.codecs.base import Draw
from synthvae.codecs.features import COARSE_TURNS, Scaling, number_features
from synthvae.codecs.numeric import NumericCodec
from synthvae.schema.columns import Numeric

RNG = np.random.default_rng(11)


def fit(values: Any, type_: pa.DataType | None = None, min_count: int = 5, **facts: Any) -> NumericCodec:
    array = pa.chunked_array([pa.array(values, type_)])
    column = Numeric(name="x", arrow=str(array.type), nullable=bool(array.null_count), **facts)
    return NumericCodec.fit(column, array, min_count)


def encode(codec: NumericCodec, values: Any) -> list[list[int]]:
    return codec.encode(pa.chunked_array([pa.array(values, codec.grid(codec.column).type)])).tolist()


def decode(codec: NumericCodec, tokens: Any, uniforms: Any = None) -> list[Any]:
    tokens = np.asarray(tokens, np.int32)
    noise = RNG.random(len(tokens)) if uniforms is None else np.asarray(uniforms)
    return codec.decode(tokens, Draw(np.arange(len(tokens)), noise, 0)).to_pylist()


def sample(codec: NumericCodec, values: pa.Array, draws: int) -> np.ndarray[Any, Any]:
    tokens = codec.encode(pa.chunked_array([values]))[RNG.integers(0, len(values), draws)]
    drawn = codec.decode(tokens, Draw(np.arange(draws), RNG.random(draws), 0))
    return np.asarray(drawn.drop_null().to_numpy(zero_copy_only=False))


def test_few_values_are_a_token_each() -> None:
    codec = fit([3] * 5 + [1] * 6 + [2] * 7, decimals=0)
    assert [block.size for block in codec.blocks] == [4]
    assert encode(codec, [1, 2, 3, None]) == [[1], [2], [3], [0]]
    assert decode(codec, [[1], [2], [3], [0]]) == [1, 2, 3, None]


def test_a_rare_value_among_few_snaps_to_the_nearest_and_is_reported() -> None:
    codec = fit([10] * 20 + [20] * 20 + [19] * 4, decimals=0)
    assert encode(codec, [19, -(10**9), 15, 16, 10**9]) == [[2], [1], [1], [2], [2]]
    assert codec.report.folded_rows == 4
    assert "19" not in " ".join(codec.report.notes)


def test_a_cap_is_exact_and_the_rest_is_binned() -> None:
    values = np.append(np.arange(1000), np.full(100, 5000))
    codec = fit(values, lower=0, upper=5000, decimals=0)
    assert encode(codec, [5000]) == [[1]]
    assert decode(codec, [[1]]) == [5000]
    assert codec.bins.atoms.tolist() == [5000]
    assert codec.bins.steps == 40  # 1000 rows of the rest, 25 to a step
    assert codec.bins.edges[[0, -1]].tolist() == [4, 995]  # the fifth from either end


def test_many_rows_get_a_coarse_and_a_fine_block() -> None:
    codec = fit(RNG.permutation(100_000), decimals=0)
    coarse, fine = codec.blocks
    assert (coarse.size, fine.size) == (1 + 48, 1 + 24)
    assert fine.compatible is not None
    assert fine.compatible[0].tolist() == [True] + [False] * 24  # null has nothing to refine
    assert fine.compatible[1].tolist() == [False] + [True] * 24
    assert encode(codec, [50_000])[0][1] > 0


def test_a_step_of_a_grid_holds_whole_values_only() -> None:
    codec = fit(np.repeat(np.arange(0, 400, 2), 5), min_count=5, decimals=0)
    drawn = sample(codec, pa.array(np.arange(0, 400)), 5000)
    assert (drawn == drawn.astype(int)).all()
    assert set(drawn) <= set(range(400))


def test_draws_in_a_bin_never_hit_an_atom() -> None:
    values = np.append(RNG.integers(0, 1000, 20_000), np.full(2000, 500))
    codec = fit(values, decimals=0)
    assert codec.bins.atoms.tolist() == [500]
    at = encode(codec, [499])[0]
    assert encode(codec, [501])[0] == at
    assert 500 not in decode(codec, [at] * 2000)


def test_values_never_seen_go_to_the_bin_around_them() -> None:
    codec = fit(np.arange(0, 10_000, 3), decimals=0)
    ends = encode(codec, [-(10**12), 10**12])
    assert ends == encode(codec, [6, 9990])
    assert encode(codec, [301]) == encode(codec, [300])


def test_int64_is_exact_where_float64_is_not() -> None:
    large = 2**62 + 1
    codec = fit([large] * 10 + [large + 1] * 10, decimals=0)
    assert decode(codec, encode(codec, [large, large + 1])) == [large, large + 1]


def test_decimals_come_back_as_written() -> None:
    written = [0.1, 0.2, 0.3, 0.7, 1.1] * 5
    codec = fit(written, decimals=1)
    assert decode(codec, encode(codec, written)) == written


def test_nan_and_null_stay_apart() -> None:
    values = pa.array([float("nan")] * 5 + [None] * 5 + [1.0] * 10, from_pandas=False)
    codec = NumericCodec.fit(Numeric(name="x", arrow="double", nullable=True), pa.chunked_array([values]), 5)
    tokens = codec.encode(pa.chunked_array([values]))[:, 0].tolist()
    assert tokens == [2] * 5 + [0] * 5 + [1] * 10
    assert str(decode(codec, [[2], [0], [1]])) == "[nan, None, 1.0]"


def test_a_rare_nan_is_null_and_reported() -> None:
    values = pa.array([float("nan")] * 4 + [1.0] * 10, from_pandas=False)
    codec = NumericCodec.fit(Numeric(name="x", arrow="double"), pa.chunked_array([values]), 5)
    assert codec.encode(pa.chunked_array([values]))[:4, 0].tolist() == [0] * 4
    assert codec.report.folded_rows == 4


def test_null_is_drawn_only_where_the_column_has_nulls() -> None:
    assert not fit([1] * 9, decimals=0).blocks[0].sampleable[0]
    assert fit([1] * 9 + [None], decimals=0).blocks[0].sampleable[0]


@pytest.mark.parametrize("values", [[], [None, None], [7]])
def test_nothing_to_learn_leaves_null_alone(values: list[Any]) -> None:
    codec = fit(values, pa.int64(), decimals=0)
    assert [block.size for block in codec.blocks] == [1]
    assert codec.blocks[0].sampleable.tolist() == [True]
    assert encode(codec, [7, None]) == [[0], [0]]


def test_too_few_rows_are_uniform_over_what_the_schema_allows() -> None:
    codec = fit([7, 8, 9], decimals=0, lower=0, upper=100)
    assert encode(codec, [-5, 0, 55, 200]) == [[1]] * 4
    assert decode(codec, [[1]] * 3, [0.0, 0.5, 1 - 2**-53]) == [0, 50, 100]


def test_one_extreme_is_nowhere() -> None:
    values = np.append(RNG.lognormal(8, 1, 3000).round(), [987_654_321.0])
    for column in ({"decimals": 0}, {}):
        codec = fit(values, pa.float64(), **column)
        facts, arrays = codec.state()
        assert "98765" not in str(facts)
        assert max(np.abs(array).max(initial=0) for array in arrays.values()) < 10**6
        assert abs(codec._line.scaling.mean) < 10**5
        assert codec._line.scaling.std < 10**5
        drawn = sample(codec, pa.array(values), 10_000)
        assert drawn.max() < 10**6
        assert drawn.max() > np.sort(values)[-50]


def test_the_distribution_comes_back() -> None:
    values = np.where(RNG.random(30_000) < 0.2, 0.0, RNG.gamma(2.0, 50.0, 30_000))
    drawn = np.sort(sample(fit(values), pa.array(values), 30_000))
    grid = np.quantile(values, np.linspace(0, 1, 400))
    gap = np.searchsorted(drawn, grid, "right") - np.searchsorted(np.sort(values), grid, "right")
    assert np.abs(gap).max() / 30_000 < 0.015  # two samples of the same law differ by 0.011 to be expected
    assert abs((drawn == 0).mean() - 0.2) < 0.01


def test_features_by_hand() -> None:
    scaling = Scaling.of(np.array([0.0, 2.0]), np.array([1.0, 1.0]), 2 / 0.999)
    assert (scaling.mean, scaling.std) == (1.0, 1.0)
    assert scaling.decades(np.array([0.0, 2.0])) == pytest.approx([0, 3])  # three powers of ten above scale / 1000
    row = number_features(np.array([2.0]), np.array([0.75]), np.array([True]), scaling, COARSE_TURNS)[0]
    assert row[:5] == pytest.approx([1, 0.5, 1, 1, 1])
    assert row[5:9] == pytest.approx([-1, 0, 0, 0], abs=1e-6)  # sin of 3/4 of a turn, of 1.5, 3 and 6 turns
    assert row[9:14] == pytest.approx([0] * 5, abs=1e-5)  # sin of 1.5, 3, 6, 12 and 24 turns
    assert row[14:18] == pytest.approx([0, -1, 1, 1], abs=1e-6)
    assert row[18:] == pytest.approx([-1, 1, 1, 1, 1], abs=1e-5)


def test_the_fine_block_always_shows_the_number() -> None:
    codec = fit(np.append(RNG.permutation(50_000), np.zeros(5000, int)), decimals=0)
    coarse, fine = codec.blocks
    assert fine.features.shape == (coarse.size, fine.size, 28)
    assert (fine.features[1, 0, :5] == coarse.features[1, :5]).all()  # the atom 0
    values = np.array([0, 100, 20_000, 49_000])
    tokens = np.asarray(encode(codec, values))
    shown = fine.features[tokens[:, 0], tokens[:, 1], 2].astype(float)
    assert shown == pytest.approx((values - codec._line.scaling.mean) / codec._line.scaling.std, abs=0.01)
    assert (fine.features[0] == 0).all()


numbers = st.lists(st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(-20, 20), min_size=0, max_size=80)


@settings(max_examples=60, deadline=None)
@given(numbers, st.integers(1, 6), st.floats(0, 1, exclude_max=True))
def test_any_integers_go_there_and_back(values: list[int], min_count: int, uniform: float) -> None:
    codec = fit(values, pa.int64(), min_count, decimals=0)
    tokens = codec.encode(pa.chunked_array([pa.array(values, pa.int64())]))
    drawn = codec.decode(tokens, Draw(np.arange(len(tokens)), np.full(len(tokens), uniform), 0))
    assert (codec.encode(pa.chunked_array([drawn])) == tokens).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(allow_infinity=False, width=32), max_size=80),
    st.integers(1, 6),
    st.floats(0, 1, exclude_max=True),
)
def test_any_floats_go_there_and_back(values: list[float], min_count: int, uniform: float) -> None:
    for type_ in (pa.float32(), pa.float64()):
        codec = fit(values, type_, min_count)
        tokens = codec.encode(pa.chunked_array([pa.array(values, type_, from_pandas=False)]))
        drawn = codec.decode(tokens, Draw(np.arange(len(tokens)), np.full(len(tokens), uniform), 0))
        assert (codec.encode(pa.chunked_array([drawn])) == tokens).all()


def test_many_integers_are_looked_up_and_few_are_searched_for() -> None:
    rng = np.random.default_rng(0)
    column = Numeric(name="x", arrow="int64", lower=-5_000, upper=5_000, open_share=0.0)
    learned = np.append(np.rint(rng.normal(size=20_000) * 900), np.repeat([0, 7, 4_000], 400)).astype(np.int64)
    codec = NumericCodec.fit(column, pa.chunked_array([learned]), 5)
    asked = np.concatenate([np.arange(-6_000, 6_000), [-(2**63) + 1, 2**63 - 1]])
    few = [codec.encode(pa.chunked_array([part])) for part in np.array_split(asked, 9)]
    np.testing.assert_array_equal(codec.encode(pa.chunked_array([asked])), np.concatenate(few))


def test_values_beyond_all_that_were_learned_are_the_less_likely_the_farther() -> None:
    codec = fit(np.arange(1000) / 4 + 0.01)
    asked = pa.chunked_array([[100.0, 240.0, 400.0, 650.0, -150.0]])
    inside, edge, far, farther, below = codec.log_density(asked)
    assert inside == pytest.approx(edge, abs=1.0)
    assert edge - far == pytest.approx((400 - 250) / 125, abs=0.5)  # in interquartile ranges
    assert far - farther == pytest.approx(250 / 125, abs=0.2)
    assert below < edge - 0.8
