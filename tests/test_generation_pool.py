"""Pools, posteriors and predictions, by arithmetic on networks small enough to enumerate."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp

from synthvae.errors import ConditionError, ParameterError
from synthvae.generation import pool
from synthvae.generation.calibrate import shift_shapes
from synthvae.generation.lead import chosen
from synthvae.generation.noise import TILE
from synthvae.generation.posterior import Posterior
from synthvae.generation.predict import Predictor, _middle
from synthvae.generation.rebalance import fitted, target_of
from synthvae.generation.score import Scorer, log_likelihood, orders
from synthvae.generation.walk import Walk
from tests.test_networks import layout, vae

SHIFTS = [np.zeros(shape, "float32") for shape in shift_shapes(layout())]


def chances(z: np.ndarray) -> np.ndarray:
    """p of each of the 60 rows given each z, by walking through all of them: (n, 60)."""
    model, found = vae(), []
    for row in itertools.product(range(3), range(4), range(5)):
        tokens = np.tile(np.array([row], "int32"), (len(z), 1))
        everything = np.ones(tokens.shape, bool)
        found.append(np.asarray(log_likelihood(model, range(3), tokens, everything, z)))
    return np.exp(np.stack(found, axis=1))


def test_the_chances_of_all_rows_sum_to_one() -> None:
    z = np.random.default_rng(0).standard_normal((7, 2)).astype("float32")
    np.testing.assert_allclose(chances(z).sum(axis=1), 1, rtol=1e-5)


def test_a_walk_scores_holes_as_if_they_were_not_there() -> None:
    """The chance of the known cells is that of all rows that agree with them, where the known come first."""
    z = np.random.default_rng(0).standard_normal((4, 2)).astype("float32")
    tokens, known = np.tile(np.array([[2, 0, 0]], "int32"), (4, 1)), np.tile([True, False, False], (4, 1))
    got = np.exp(np.asarray(log_likelihood(vae(), range(3), tokens, known, z)))
    agree = [row[0] == 2 for row in itertools.product(range(3), range(4), range(5))]
    np.testing.assert_allclose(got, chances(z)[:, agree].sum(axis=1), rtol=1e-5)


def test_a_pool_knows_the_probability_of_its_condition_and_its_cells_follow_it() -> None:
    share = np.array([0.0, 1.0, 0.0, 0.5])  # of block 1: token 1, and half of what token 3 stands for
    found = pool.build(vae(), {1: share}, SHIFTS, seed=3)
    z = np.random.default_rng(1).standard_normal((4000, 2)).astype("float32")
    none = np.zeros((4000, 3), "int32")
    p = np.exp(log_softmax(np.asarray(Walk(vae(), none, none.astype(bool), z).logits(1)), axis=1))
    assert found.probability == pytest.approx(float((p @ share).mean()), rel=0.02)
    assert found.weights.sum() == pytest.approx(1)
    assert set(found.tokens[:, 1]) == {1, 3}
    drawn = found.weights[found.tokens[:, 1] == 3].sum()
    assert drawn == pytest.approx(float(0.5 * p[:, 3].mean() / (p @ share).mean()), abs=0.02)
    assert pool.ENOUGH <= found.effective <= len(found.weights)


def test_a_pool_does_not_depend_on_how_it_is_asked() -> None:
    one, other = (pool.build(vae(), {0: np.array([0.0, 1.0, 1.0])}, SHIFTS, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.z, other.z)
    assert (pool.build(vae(), {0: np.array([0.0, 1.0, 1.0])}, SHIFTS, seed=4).z[:5] != one.z[:5]).any()
    assert one.pick(np.array([0.0, 1 - 1e-12])).tolist() == [0, len(one.weights) - 1]


def test_nothing_allowed_is_an_error() -> None:
    with pytest.raises(ConditionError, match="never saw the like"):
        pool.build(vae(), {0: np.zeros(3)}, SHIFTS, seed=0)


@pytest.mark.slow
def test_weights_of_the_posterior_average_to_the_chance_of_the_row() -> None:
    model = vae()
    tokens = np.tile(np.array([[1, 2, 3]], "int32"), (TILE, 1))
    everything = np.ones(tokens.shape, bool)
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((8, TILE, 2), dtype=np.float32)
    logs = Scorer(model).log_weights(0, tokens, everything, noise)
    exact = chances(rng.standard_normal((20_000, 2)).astype("float32"))[:, 1 * 20 + 2 * 5 + 3].mean()
    assert np.exp(logsumexp(logs) - np.log(logs.size)) == pytest.approx(exact, rel=0.03)


def test_a_score_mixes_both_orders() -> None:
    """Each row's score is the log of a mean of unbiased weights, so over many rows they average to the chance."""
    model = vae()
    tokens = np.tile(np.array([[1, 2, 3]], "int32"), (2 * TILE, 1))
    z = np.random.default_rng(1).standard_normal((20_000, 2)).astype("float32")
    rows = np.tile(tokens[:1], (len(z), 1))
    every = [np.asarray(log_likelihood(model, order, rows, rows >= 0, z)) for order in orders(model.layout)]
    exact = np.exp(np.stack(every)).mean()
    scored = Scorer(model).log_prob(tokens, seed=0)
    assert len(scored) == len(tokens)
    assert np.exp(scored).mean() == pytest.approx(exact, rel=0.05)


def test_candidates_are_chosen_by_weight() -> None:
    z = np.arange(3.0)[:, None, None] * np.ones((3, 4, 1))
    logs = np.log(np.array([[0.2], [0.3], [0.5]])) * np.ones((3, 4))
    assert chosen(z, logs, np.array([0.1, 0.25, 0.6, 0.99]))[:, 0].tolist() == [0, 1, 2, 2]


def test_predictions_are_the_chances_given_the_rest() -> None:
    """Where z says nothing, they are what the decoder says of the block, null left out."""
    model = vae()
    for trunk in model.decoder.trunks:
        trunk.latent.kernel.assign(np.zeros(trunk.latent.kernel.shape, "float32"))
    predictor = Predictor(model, Posterior(model), [None, None, None])
    tokens = np.tile(np.array([[1, 2, 3]], "int32"), (600, 1))
    known = np.tile([False, True, True], (600, 1))
    parts = list(predictor.probabilities(tokens, known, [0], seed=0))
    assert [len(part[0]) for part in parts] == [TILE, 600 - TILE]
    p = np.concatenate([part[0] for part in parts])
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert (p[:, 0] == 0).all()  # null is no answer
    walk = Walk(model, tokens[:1], known[:1], np.zeros((1, 2), "float32"))
    each = np.exp(log_softmax(np.asarray(walk.logits(0))[:, 1:], axis=1))
    np.testing.assert_allclose(p[:, 1:], np.tile(each, (600, 1)), rtol=1e-4)


def test_the_middle_of_an_order_and_of_names() -> None:
    p = np.array([[0.0, 0.4, 0.3, 0.3]])
    assert _middle(p, None).tolist() == [1]
    assert _middle(p, np.array([-1.0, 0.9, 0.1, 0.5])).tolist() == [3]


def test_orders_keep_parents_before_children() -> None:
    assert orders(layout()) == ((0, 1, 2), (1, 2, 0))
    assert orders(layout(parents=(-1, 0, -1))) == ((0, 1, 2), (2, 0, 1))


def test_fitted_margins_are_the_wished_ones_and_odds_ratios_stay() -> None:
    mass = np.array([[0.4, 0.1], [0.2, 0.3]])
    got = fitted(mass, [np.array([0.5, 0.5]), np.array([0.9, 0.1])], ["a", "b"])
    np.testing.assert_allclose(got.sum(axis=1), [0.5, 0.5], atol=1e-8)
    np.testing.assert_allclose(got.sum(axis=0), [0.9, 0.1], atol=1e-8)
    odds = [m[0, 0] * m[1, 1] / (m[0, 1] * m[1, 0]) for m in (mass, got)]
    assert odds[0] == pytest.approx(odds[1])


def test_targets_that_cannot_be() -> None:
    with pytest.raises(ConditionError, match=r"targets\['b'\] asks for a value that the model never saw"):
        fitted(np.array([[0.5, 0.0], [0.5, 0.0]]), [np.array([0.5, 0.5]), np.array([0.5, 0.5])], ["a", "b"])
    with pytest.raises(ConditionError, match="cannot be met together"):
        fitted(np.eye(2) / 2, [np.array([0.9, 0.1]), np.array([0.1, 0.9])], ["a", "b"])
    for wanted in ({}, {"x": 1.2}, {"x": -0.1}, {"x": 0.7, "y": 0.7}):
        with pytest.raises(ParameterError, match="shares of 0 to 1"):
            target_of("a", wanted, nullable=False)
    with pytest.raises(ParameterError, match="names a value twice"):
        target_of("a", {"x": 0.1, ("x", "y"): 0.2}, nullable=False)


def test_what_no_target_names_keeps_the_rest() -> None:
    target = target_of("a", {"x": 0.3}, nullable=True)
    assert target.shares == pytest.approx((0.3, 0.7))
    assert target.groups[1].without == ("x",)
    assert target.groups[1].null
    assert len(target_of("a", {"x": 0.3, "y": 0.7}, nullable=True).groups) == 2
