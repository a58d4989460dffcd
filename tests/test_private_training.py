"""Noisy steps: norms of rows' gradients without gradients of rows, clipping, both backends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import synthvae as sv
from synthvae import backend
from synthvae.errors import BudgetError, ParameterError
from synthvae.networks.layout import Echo, Layout
from synthvae.networks.taps import Taps, square_norms
from synthvae.networks.vae import VAE, NetworkConfig
from synthvae.privacy.ledger import Ledger
from synthvae.privacy.mechanisms import Noise, secret_generator
from synthvae.privacy.private_table import PrivateTable
from synthvae.training.private import Planned, PrivatePlan, _Contribution, planned, train

ROWS = 6
Contributed = Callable[..., list[np.ndarray]]


def layout() -> Layout:
    """Two categories, a number of a coarse and a fine block, another that may repeat it."""
    rng = np.random.default_rng(3)
    sizes, parents = (3, 4, 5, 4, 5, 4), (-1, -1, -1, 2, -1, 4)
    number, fine = rng.normal(size=(5, 3)).astype("float32"), rng.normal(size=(5, 4, 3)).astype("float32")
    none = [np.zeros((v, 0), "float32") for v in sizes[:2]]
    tokens = np.full((5, 4, 2), -1, np.int32)
    tokens[1:, 1:] = np.stack(np.meshgrid(np.arange(1, 5), np.arange(1, 4), indexing="ij"), axis=-1)
    return Layout(
        sizes=sizes,
        parents=parents,
        features=(*none, number, fine, number, fine),
        sampleable=tuple(np.ones(v, bool) for v in sizes),
        compatible=(None, None, None, np.ones((5, 4), bool), None, np.ones((5, 4), bool)),
        echoes=(Echo((2, 3), (4, 5), tokens),),
        plain=2,
    )


def network() -> VAE:
    config = NetworkConfig(4, encoder_width=7, decoder_width=9, category_width=8, decoder_depth=2, free_nats=0.01)
    return VAE(layout(), config, np.random.default_rng(0))


def asked() -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(1)
    tokens = np.stack([rng.integers(0, v, ROWS) for v in layout().sizes], axis=1).astype("int32")
    uniforms = rng.random((ROWS, 2 * layout().b + 2), dtype=np.float32)
    normals = rng.standard_normal((ROWS, 4), dtype=np.float32)
    return tokens, uniforms, normals, rng.random((ROWS, 1), dtype=np.float32)


def one_by_one(summed: backend.ClippedSum, rows: tuple[np.ndarray, ...]) -> list[list[np.ndarray]]:
    """The gradient of each row, as that of a batch of it alone, not clipped."""
    parts = [tuple(part[i : i + 1] for part in rows) for i in range(ROWS)]
    return [summed(1e9, np.ones(1, "float32"), *part)[0] for part in parts]


def length(gradients: list[np.ndarray]) -> float:
    return float(np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients)))


@pytest.fixture(scope="module")
def summed() -> backend.ClippedSum:
    vae = network()
    return backend.clipped_sum(vae, vae.row_losses, Taps, square_norms)


@pytest.fixture(scope="module")
def gradients(summed: backend.ClippedSum) -> list[list[np.ndarray]]:
    return one_by_one(summed, asked())


def test_norms_are_those_of_each_row_by_itself(summed: backend.ClippedSum, gradients: list[list[np.ndarray]]) -> None:
    _, norms = summed(1.0, np.ones(ROWS, "float32"), *asked())
    alone = [length(row) for row in gradients]
    assert norms == pytest.approx(alone, rel=1e-4)
    assert min(alone) > 0.1


def test_the_sum_is_of_rows_each_cut_to_the_clip_norm(
    summed: backend.ClippedSum, gradients: list[list[np.ndarray]]
) -> None:
    clip = float(np.median([length(g) for g in gradients]))
    mask = np.array([1, 1, 0, 1, 1, 1], "float32")
    sums, _ = summed(clip, mask, *asked())
    cut = [[m * g * min(1.0, clip / length(row)) for g in row] for m, row in zip(mask, gradients, strict=True)]
    for place, got in enumerate(sums):
        np.testing.assert_allclose(got, sum(row[place] for row in cut), atol=1e-4 * clip)


def test_a_row_moves_the_sum_by_at_most_the_clip_norm(summed: backend.ClippedSum) -> None:
    rows, everyone = asked(), np.ones(ROWS, "float32")
    whole, _ = summed(0.01, everyone, *rows)
    for i in range(ROWS):
        without, _ = summed(0.01, np.where(np.arange(ROWS) == i, 0, everyone), *rows)
        moved = length([a - b for a, b in zip(whole, without, strict=True)])
        assert moved == pytest.approx(0.01, rel=1e-3)


@pytest.fixture(scope="module")
def contribution() -> Contributed:
    """What rows add to a sum, asked by a generator that is given (the network is compiled once)."""
    made = _Contribution(network(), 0.01, np.random.default_rng(5))

    def contributed(tokens: np.ndarray, **dealt: int) -> list[np.ndarray]:
        made.rng = Dealt(np.random.default_rng(5), **dealt)  # type: ignore[assignment]
        return made(tokens)

    return contributed


def test_a_row_less_moves_the_sum_by_at_most_the_clip_norm(contribution: Contributed) -> None:
    """Not masked but gone: the others are asked the same, the coupling under which neighbours are compared."""
    tokens = asked()[0]
    whole = contribution(tokens)
    for i in range(ROWS):
        without = contribution(np.delete(tokens, i, axis=0), gone=i)
        assert length([a - b for a, b in zip(whole, without, strict=True)]) <= 0.01


class Dealt:
    """A generator that leaves out what row ``gone`` would have been asked, and asks row ``sick`` nonsense."""

    def __init__(self, rng: np.random.Generator, gone: int | None = None, sick: int | None = None) -> None:
        self.rng, self.gone, self.sick = rng, gone, sick

    def _moved(self, made: np.ndarray) -> np.ndarray:
        return made if self.gone is None else np.concatenate([np.delete(made, self.gone, axis=0), made[-1:]])

    def random(self, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        return self._moved(self.rng.random(shape, dtype=dtype))  # type: ignore[call-overload]

    def standard_normal(self, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        made = self.rng.standard_normal(shape, dtype=dtype)  # type: ignore[call-overload]
        if self.sick is not None:
            made[self.sick] = np.nan
        return self._moved(made)


def test_what_is_asked_of_rows_under_a_budget_is_no_public_sequence() -> None:
    one, other = (secret_generator().random(4).tolist() for _ in range(2))
    assert one != other


def test_a_row_whose_gradient_is_not_finite_adds_nothing(contribution: Contributed) -> None:
    tokens = asked()[0]
    expected = contribution(np.delete(tokens, 2, axis=0), gone=2)
    for got, want in zip(contribution(tokens, sick=2), expected, strict=True):
        np.testing.assert_allclose(got, want, atol=1e-5)


def test_what_a_row_is_asked_depends_on_no_other_row() -> None:
    vae, (tokens, *noise) = network(), asked()
    losses = backend.compiled(vae, vae.row_losses)
    other = tokens.copy()
    other[1:] = 0
    assert losses(tokens, *noise)[0] == pytest.approx(losses(other, *noise)[0], rel=1e-6)
    assert losses(tokens[:1], *(part[:1] for part in noise))[0] == pytest.approx(losses(tokens, *noise)[0], rel=1e-5)


def test_a_weight_that_does_not_report_is_refused() -> None:
    vae = network()

    def half(tokens: object, uniforms: object, normals: object, place: object) -> object:
        return vae.encoder(tokens, uniforms[:, : vae.layout.b] < 2)[0][:, 0]  # type: ignore[index]

    partly = backend.clipped_sum(vae, half, Taps, square_norms)
    with pytest.raises(ParameterError, match="must report to taps"):
        partly(1.0, np.ones(ROWS, "float32"), *asked())


def rows_under(budget: sv.Budget) -> PrivateTable:
    return PrivateTable(pa.table({"row": np.arange(40)}), Ledger(budget), Noise(0))


def encoded(rows: pa.Table) -> np.ndarray:
    return np.stack([rows["row"].to_numpy() % v for v in layout().sizes], axis=1)


PLAN = PrivatePlan(Planned(rate=0.5, count=3, clip=1.0, learning_rate=1e-2), noise=2.0)


def test_noisy_steps_are_one_payment_and_move_every_weight() -> None:
    vae, private = network(), rows_under(sv.Budget(30.0, 1e-3))
    before = backend.arrays(vae.trainable_variables)
    train(vae, private, encoded, 40.0, PLAN, np.random.default_rng(0))
    after = backend.arrays(vae.trainable_variables)
    assert all(np.isfinite(a).all() and (a != b).any() for a, b in zip(after, before, strict=True))
    (line,) = private.ledger.facts()["payments"]
    assert (line["rate"], line["steps"], line["sigma"], line["sensitivity"]) == (0.5, 3, 2.0, 1.0)
    assert 0 < private.ledger.epsilon <= 30


def test_steps_beyond_the_budget_read_no_row() -> None:
    vae, private = network(), rows_under(sv.Budget(0.1, 1e-6))
    before = backend.arrays(vae.trainable_variables)
    with pytest.raises(BudgetError, match="does not cover"):
        train(vae, private, encoded, 40.0, PLAN, np.random.default_rng(0))
    assert all((a == b).all() for a, b in zip(backend.arrays(vae.trainable_variables), before, strict=True))


def test_steps_are_for_tables_that_are_large_for_their_epsilon() -> None:
    assert planned(30_000.0, 8.0) is None
    steps = planned(4_000_000.0, 3.0)
    assert steps is not None
    assert steps.rate == 1 / 64  # 62,500 rows in the mean


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("KERAS_BACKEND") == "jax", reason="runs itself on the other backend")
def test_the_same_on_jax() -> None:
    command = [sys.executable, "-m", "pytest", "-n", "0", __file__]
    done = subprocess.run(command, cwd=Path(__file__).parent.parent, env=os.environ | {"KERAS_BACKEND": "jax"})
    assert done.returncode == 0
