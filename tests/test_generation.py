"""Drawing rows: calibrated margins, conditions of blocks kept, noise that belongs to row numbers."""

from __future__ import annotations

import numpy as np
import pytest

from synthvae.generation.calibrate import LIMIT, MOST, _fit, calibrate, frequencies, shift_shapes
from synthvae.generation.complete import sampler
from synthvae.generation.noise import TILE, seed_of, tile_noise
from synthvae.generation.stream import tiles
from synthvae.networks.layout import Layout
from tests.test_networks import layout, vae


def test_frequencies_are_counts_by_token_and_parent() -> None:
    tokens = np.array([[0, 1, 2], [0, 1, 2], [2, 3, 0]], "uint8")
    first, second, third = frequencies(layout(), tokens)
    assert first.tolist() == [2, 0, 1]
    assert second.tolist() == [0, 2, 0, 1]
    assert third.shape == shift_shapes(layout())[2] == (4, 5)
    assert third[1, 2] == 2
    assert third[3, 0] == 1


def test_a_shift_moves_the_mean_to_the_target() -> None:
    logits = np.zeros((1000, 2), "float32")  # one half each, wanted are 3 in 5
    shift = _fit(logits, np.array([600, 400]), np.array([True, True]))
    assert np.exp(shift[0] - shift[1]) == pytest.approx(1.5, rel=0.02)


def test_a_shift_is_bounded_and_leaves_the_forbidden_alone() -> None:
    logits = np.zeros((1000, 3), "float32")
    logits[:, 2] = -1e9
    shift = _fit(logits, np.array([999, 1, 500]), np.array([True, True, False]))
    assert np.abs(shift).max() <= LIMIT
    assert shift[2] == 0


def test_a_token_with_too_few_rows_is_left_alone() -> None:
    counts = frequencies(layout(), np.array([[0, 0, 0]] * 50 + [[1, 0, 0]] * 40 + [[2, 0, 0]] * 4))
    shifts = calibrate(vae(), range(3), counts, 5, seed=0)
    assert shifts[0][2] == 0
    assert shifts[0][0] != 0


def test_nothing_to_choose_is_nothing_to_shift() -> None:
    assert not _fit(np.zeros((10, 2), "float32"), np.array([0, 0]), np.array([True, True])).any()
    assert not _fit(np.zeros((10, 1), "float32"), np.array([5]), np.array([True])).any()


def test_calibrated_draws_have_the_margins_of_the_table() -> None:
    model, rng = vae(), np.random.default_rng(0)
    first = rng.choice(3, 5000, p=[0.5, 0.3, 0.2])
    second = rng.choice(4, 5000, p=[0.4, 0.3, 0.2, 0.1])
    third = np.where(second == 0, rng.choice(5, 5000), rng.choice(5, 5000, p=[0.1, 0.2, 0.4, 0.2, 0.1]))
    tokens = np.stack([first, second, third], axis=1)
    shifts = calibrate(model, range(3), frequencies(model.layout, tokens), 5, seed=0)
    drawn = _draw(model.layout, shifts)
    for wanted, got in zip(frequencies(model.layout, tokens), frequencies(model.layout, drawn), strict=True):
        np.testing.assert_allclose(got / len(drawn), wanted / len(tokens), atol=0.02)


def test_a_child_keeps_to_what_its_parent_allows() -> None:
    of = layout()
    compatible = np.zeros((4, 5), bool)
    compatible[:, 0] = True
    compatible[2] = [False, True, True, False, False]
    of = Layout(of.sizes, of.parents, of.features, of.sampleable, (None, None, compatible))
    drawn = _draw(of, [np.zeros(shape, "float32") for shape in shift_shapes(of)])
    assert set(drawn[drawn[:, 1] == 2, 2]) == {1, 2}
    assert set(drawn[drawn[:, 1] != 2, 2]) == {0}


def test_known_cells_stay_as_they_are() -> None:
    model = vae()
    shifts = [np.zeros(shape, "float32") for shape in shift_shapes(model.layout)]
    tokens = np.tile(np.array([[2, 3, 4]], "int32"), (TILE, 1))
    known = np.zeros((TILE, 3), bool)
    known[:, 0] = True
    drawn = sampler(model, range(3), shifts)(tokens, known, *reversed(tile_noise(0, 0, 3, 2)))
    assert (drawn[:, 0] == 2).all()
    assert len(np.unique(drawn[:, 1])) == 4


def test_a_tile_is_a_function_of_seed_and_number() -> None:
    for a, b in zip(tile_noise(3, 7, 2, 2), tile_noise(3, 7, 2, 2), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (tile_noise(3, 7, 2, 2)[0] != tile_noise(3, 8, 2, 2)[0]).any()
    assert (tile_noise(3, 7, 2, 2)[0] != tile_noise(4, 7, 2, 2)[0]).any()


@pytest.mark.parametrize(
    ("first", "rows", "expected"),
    [(0, 0, []), (0, 1, [0]), (0, TILE, [0]), (0, TILE + 1, [0, 1]), (TILE - 1, 2, [0, 1]), (5 * TILE, TILE, [5])],
)
def test_tiles_of_a_range_of_rows(first: int, rows: int, expected: list[int]) -> None:
    assert list(tiles(first, rows)) == expected


def test_seeds() -> None:
    assert seed_of(7) == 7
    assert seed_of(None) != seed_of(None)
    assert seed_of(np.random.default_rng(0)) == seed_of(np.random.default_rng(0))


def _draw(of: Layout, shifts: list[np.ndarray]) -> np.ndarray:
    """MOST rows of the untrained model of a layout."""
    draw = sampler(vae(of), range(3), shifts)
    nothing = np.zeros((TILE, 3), "int32")
    noise = [tile_noise(0, tile, 3, 2) for tile in range(MOST // TILE)]
    return np.concatenate([draw(nothing, nothing.astype(bool), normals, uniforms) for uniforms, normals in noise])
