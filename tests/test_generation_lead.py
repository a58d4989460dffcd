"""Rows under a condition follow the table's order, by enumeration on a network with three blocks."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from synthvae.generation import pool
from synthvae.generation.calibrate import shift_shapes
from synthvae.generation.complete import sampler
from synthvae.generation.lead import FEWEST, MOST, Led, leading, started
from synthvae.generation.noise import TILE, tile_noise
from synthvae.generation.score import log_likelihood
from synthvae.generation.start import Picked, Start
from synthvae.networks.vae import VAE
from tests.test_networks import layout, vae

LAYOUT = layout(parents=(-1, 0, -1))
SHIFTS = [np.zeros(shape, "float32") for shape in shift_shapes(LAYOUT)]
ROWS = np.array(list(itertools.product(range(3), range(4), range(5))), "int32")
SHARE = np.array([0.0, 0.0, 1.0, 0.0, 0.5])  # of block 2: token 2, and half of what token 4 stands for


class Model:
    """A network with its ``leading``."""

    def __init__(self, model: VAE) -> None:
        self.vae = model

    def leading(self, blocks: int) -> Callable[..., np.ndarray]:
        return leading(self.vae, blocks, SHIFTS)


def contrary() -> VAE:
    """A network whose orders disagree: what block 2 says of block 0 is not what block 0 says of block 2."""
    model = vae(LAYOUT)
    rng = np.random.default_rng(5)
    for variable in model.decoder.trainable_variables:
        variable.assign(np.asarray(variable) + rng.normal(size=variable.shape).astype("float32") * 0.3)
    return model


def drawn(model: VAE, start: Start, tiles: int = 12) -> np.ndarray:
    """Rows (n, 3) as a stream makes them."""
    complete = start.completing(sampler(model, range(3), SHIFTS))
    parts = []
    for tile in range(tiles):
        uniforms, normals = tile_noise(1, tile, 3, 2)
        parts.append(complete(*start.tile(1, tile, normals, 0), uniforms))
    return np.concatenate(parts)


def shares(rows: np.ndarray) -> np.ndarray:
    """Of each of the 60 rows: (60,)."""
    return np.array([(rows == row).all(axis=1).mean() for row in ROWS])


def expected(model: VAE) -> np.ndarray:
    """p(row | condition) with every row drawn in the table's order: (60,)."""
    z = np.random.default_rng(2).standard_normal((3000, 2)).astype("float32")
    chances = []
    for row in ROWS:
        tokens = np.tile(row, (len(z), 1))
        chances.append(np.exp(np.asarray(log_likelihood(model, range(3), tokens, tokens >= 0, z))).mean())
    p = np.array(chances) * SHARE[ROWS[:, 2]]
    return p / p.sum()


@pytest.fixture(scope="module")
def law() -> tuple[VAE, list[pool.Pool], np.ndarray, float]:
    """A network, where rows under a condition start, their law, and how far they are from it without a lead."""
    model = contrary()
    found, wanted = [pool.build(model, {2: SHARE}, SHIFTS, seed=3)], expected(model)
    without = np.abs(shares(drawn(model, Picked(tuple(found), np.ones(1)))) - wanted).sum() / 2
    return model, found, wanted, without


@pytest.mark.parametrize(("candidates", "left"), [(2, 0.85), (8, 0.5), pytest.param(32, 0.2, marks=pytest.mark.slow)])
def test_candidates_take_rows_to_the_law_of_the_table_s_order(
    candidates: int, left: float, law: tuple[VAE, list[pool.Pool], np.ndarray, float]
) -> None:
    model, found, wanted, without = law
    assert without > 0.5
    led = started(Model(model), found, np.ones(1))
    assert isinstance(led, Led)
    led.candidates = candidates
    rows = drawn(model, led)
    assert set(rows[:, 2]) <= {2, 4}
    assert np.abs(shares(rows) - wanted).sum() / 2 < left * without


def test_a_condition_on_the_first_blocks_needs_no_candidates() -> None:
    found = pool.build(vae(LAYOUT), {0: np.array([0.0, 1.0, 1.0])}, SHIFTS, seed=3)
    assert isinstance(started(Model(vae(LAYOUT)), [found], np.ones(1)), Picked)


@pytest.mark.parametrize(("block", "candidates"), [(1, 2), (2, FEWEST)])
def test_the_more_blocks_lead_the_fewer_candidates(block: int, candidates: int) -> None:
    found = pool.build(vae(LAYOUT), {block: np.ones(LAYOUT.sizes[block])}, SHIFTS, seed=3)
    led = started(Model(vae(LAYOUT)), [found], np.ones(1))
    assert isinstance(led, Led)
    assert led.candidates == candidates <= MOST
    tokens, known, z, logs, cells, choice = led.tile(1, 0, np.zeros((TILE, 2)), 0)
    assert tokens.shape == (TILE, candidates, 3)
    assert z.shape == (TILE, candidates, 2)
    assert logs.shape == (TILE, candidates)
    assert cells.shape == (TILE, candidates, block + 1)
    assert known.shape == (TILE, 3)
    assert choice.shape == (TILE,)
