"""Levels: order, the rare token, what the network sees of numbers and ranks."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pytest

from synthvae.codecs.base import Draw
from synthvae.codecs.categorical import CategoricalCodec
from synthvae.schema.columns import Boolean, Categorical, Column

DRAW = Draw(np.arange(9), np.zeros(9), 0)


def fit(column: Column, values: pa.Array) -> CategoricalCodec:
    return CategoricalCodec.fit(column, pa.chunked_array([values]), 5)


def tokens(codec: CategoricalCodec, values: pa.Array) -> list[int]:
    return codec.encode(pa.chunked_array([values]))[:, 0].tolist()


def test_tokens_follow_the_schema() -> None:
    column = Categorical(name="x", arrow="string", levels=("z", "a"), nullable=True)
    codec = fit(column, pa.array(["a", "z", None]))
    assert tokens(codec, pa.array(["z", "a", None, "never seen"])) == [1, 2, 0, 0]
    assert codec.blocks[0].sampleable.tolist() == [True, True, True]
    assert codec.blocks[0].features.shape == (3, 0)


def test_rare_levels_are_one_token_never_drawn() -> None:
    column = Categorical(name="x", arrow="string", levels=("a",), open_share=0.2)
    codec = fit(column, pa.array(["a"] * 8 + ["a unique secret", "another"]))
    assert tokens(codec, pa.array(["a", "a unique secret", "new"])) == [1, 2, 2]
    assert codec.blocks[0].sampleable.tolist() == [False, True, False]
    assert codec.report.folded_rows == 2
    assert "secret" not in repr(codec.state()) + repr(codec.report)


def test_dictionaries_keep_levels_and_order() -> None:
    values = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int8()), pa.array(["low", "high"]), ordered=True)
    column = Categorical(
        name="x", arrow=str(values.type), levels=("low", "middle", "high"), ordered=True, nullable=True
    )
    codec = fit(column, values)
    drawn = codec.decode(np.array([[1], [3], [0]]), DRAW)
    assert drawn.type == values.type
    assert drawn.dictionary.to_pylist() == ["low", "middle", "high"]
    assert drawn.to_pylist() == ["low", "high", None]


def test_ordered_levels_show_their_rank() -> None:
    column = Categorical(name="x", arrow="string", levels=("low", "middle", "high"), ordered=True)
    codec = fit(column, pa.array(["low"] * 2 + ["middle"] * 4 + ["high"] * 2))
    assert codec.blocks[0].features[:, 1].tolist() == pytest.approx([0, -0.75, 0, 0.75])


def test_whole_levels_show_their_value() -> None:
    column = Categorical(name="x", arrow="int64", levels=(10, 0))
    codec = fit(column, pa.array([0, 10] * 5))
    assert codec.blocks[0].features[:, 2].tolist() == [0, 1, -1]  # standardised: 10 is one deviation up, 0 one down
    assert codec.blocks[0].features[:, 1].tolist() == [0, 0.5, -0.5]


def test_booleans_are_null_false_true() -> None:
    codec = fit(Boolean(name="x", arrow="bool"), pa.array([True, False]))
    assert tokens(codec, pa.array([None, False, True])) == [0, 1, 2]
    assert codec.decode(np.array([[0], [1], [2]]), DRAW).to_pylist() == [None, False, True]
    assert codec.blocks[0].sampleable.tolist() == [False, True, True]


def test_dictionaries_of_another_order_or_with_several_chunks_encode_alike() -> None:
    column = Categorical(name="x", arrow="dictionary<values=string, indices=int32, ordered=0>", levels=("a", "b"))
    chunks = [pa.array(["b", "a"]).dictionary_encode(), pa.array(["a", "c"]).dictionary_encode()]
    codec = fit(column, chunks[0])
    assert codec.encode(pa.chunked_array(chunks))[:, 0].tolist() == [2, 1, 1, 0]


def test_a_hundred_thousand_levels_need_two_small_blocks_and_little_time() -> None:
    names = tuple(f"level {n:06d}" for n in range(100_000))
    column = Categorical(name="x", arrow="string", levels=names, nullable=True, open_share=0.0)
    rng = np.random.default_rng(0)
    places = np.append(np.arange(100_000), (rng.random(900_000) ** 2 * 100_000).astype(int))
    values = pa.chunked_array([pa.array(names).take(pa.array(places, mask=rng.random(1_000_000) < 0.01))])
    start = time.perf_counter()
    codec = CategoricalCodec.fit(column, values, 5)
    tokens = codec.encode(values)
    back = codec.decode(tokens, Draw(np.arange(1_000_000), np.zeros(1_000_000), 0))
    assert time.perf_counter() - start < 20
    assert pa.chunked_array([back]).equals(values)
    assert max(block.size for block in codec.blocks) <= 320
    coarse, fine = codec.blocks
    assert fine.compatible is not None
    # every level is one pair of tokens, null and the rare one are the others
    assert int(fine.compatible.sum()) == 100_002
    assert sum(part.nbytes for part in (coarse.features, fine.features, fine.compatible)) < 1e6


def test_very_many_numbers_tell_what_they_are_worth() -> None:
    column = Categorical(name="x", arrow="int64", levels=tuple(range(0, 3000, 3)))
    codec = CategoricalCodec.fit(column, pa.chunked_array([pa.array(np.arange(0, 3000, 3))]), 5)
    coarse, fine = codec.blocks
    assert fine.features.shape[:2] == (coarse.size, fine.size)
    worth = fine.features[1:, 1:, 2].ravel()[:1000]
    assert (np.diff(worth) > 0).all()
    assert (np.diff(coarse.features[1:, 2]) > 0).all()
