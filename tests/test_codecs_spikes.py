"""Values that come back: learned where they do, drawn as often as they came, whatever else is asked."""

from __future__ import annotations

import numpy as np
import pytest

import synthvae as sv
from synthvae.codecs.base import Draw
from synthvae.codecs.bins import Bins
from synthvae.codecs.grains import Grains
from synthvae.codecs.grid import Units
from synthvae.codecs.spikes import Spikes
from synthvae.codecs.step_law import StepLaw
from synthvae.codecs.within import Intervals, Part
from tests.test_codecs_grains import fitted, redrawn

RNG = np.random.default_rng(0)
SIZE = 8000
CELSIUS = np.round(RNG.normal(12, 9, SIZE), 1)
FAHRENHEIT = np.round(CELSIUS * 9 / 5 + 32, 2)  # 300 values or so, 0.18 apart
RATIOS = 1.0 / RNG.geometric(0.01, SIZE) + np.where(RNG.random(SIZE) < 0.3, RNG.random(SIZE), 0.0)
TWO_STEPS = Bins(np.array([100]), np.array([90, 110, 129]), np.array([0, 1, 2]), False)  # 90..109 but for 100, 110..129
FLOATS = Bins(np.array([1.0]), np.array([0.0, 0.5, 2.0]), np.array([0, 1, 2]), False)


def often(values: np.ndarray, least: int) -> float:
    """The share of rows whose value so many rows have."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return float((counts[place] >= least).mean())


def law(bins: Bins, spikes: dict[float, float], grains: Grains | None = None) -> StepLaw:
    values = np.array(list(spikes), bins.atoms.dtype)
    return StepLaw(bins, grains, Spikes.of(values, np.array(list(spikes.values())), bins))


@pytest.mark.parametrize("values", [FAHRENHEIT, RATIOS], ids=["hundredths", "floats"])
def test_what_came_back_comes_back(values: np.ndarray) -> None:
    codec, table = fitted(values)
    made = redrawn(codec, table)
    assert np.isin(made, values).mean() > often(values, 5) - 0.05
    assert abs(np.sort(made) - np.sort(values)).mean() < 0.02 * values.std()


def test_what_never_came_back_has_none() -> None:
    for values in (RNG.normal(size=SIZE), RNG.integers(0, 3000, SIZE)):
        assert "spikes" not in fitted(values)[0].codecs["price"].state()[1]


def test_no_value_of_few_rows_is_kept() -> None:
    values = np.concatenate([RNG.normal(size=SIZE), np.repeat(0.123456, 4), np.repeat(0.654321, 19)])
    assert fitted(values)[0].codecs["price"].state()[1]["spikes"].tolist() == [0.654321]


@pytest.mark.parametrize("grains", [None, Grains(np.array([1, 10]), np.array([[0.5, 0.5], [0.1, 0.9]]))])
def test_chances_sum_to_one_and_draws_have_them(grains: Grains | None) -> None:
    step = law(TWO_STEPS, {93: 0.4, 95: 0.1, 120: 1.0}, grains)
    for token, first, last in ((2, 90, 109), (3, 110, 129)):
        number = np.array([x for x in range(first, last + 1) if x != 100])
        tokens = np.full((len(number), 1), token)
        p = np.exp(step.log_density(Units.of(number), tokens))
        assert p.sum() == pytest.approx(1.0)
        drawn = step.draw(np.full((40_000, 1), token), np.random.default_rng(1).random(40_000), None).number
        np.testing.assert_allclose([(drawn == x).mean() for x in number], p, atol=0.008)


def test_a_float_is_a_spike_with_mass_or_has_a_density() -> None:
    step = law(FLOATS, {0.25: 0.6, 1.5: 0.5})
    tokens = np.array([[2], [2], [3]])
    p = np.exp(step.log_density(Units.of(np.array([0.25, 0.3, 0.7])), tokens))
    np.testing.assert_allclose(p, [0.6, 0.4 / 0.5, 0.5 / 1.5])


def test_what_is_told_apart_stays_as_frequent_as_it_was() -> None:
    """Ten rows on 93 and one on each other place of 90..109: the slab brings some of the 93s by itself."""
    number = np.concatenate([np.arange(90, 100), np.arange(101, 110), np.repeat(93, 30), np.arange(110, 130)])
    step = StepLaw.learn(TWO_STEPS, Units.of(number), 5)
    assert step.spikes is not None
    assert step.spikes.values.tolist() == [93]
    p = np.exp(step.log_density(Units.of(np.array([93])), np.array([[2]])))
    assert p == pytest.approx(31 / 50)  # of 49 rows and the one that keeps the rest possible


def test_a_wish_leaves_the_spikes_inside_it_and_their_share() -> None:
    step = law(TWO_STEPS, {93: 0.4, 95: 0.1})
    part = Part(TWO_STEPS, Intervals(np.array([94]), np.array([98])), False)
    assert step.shares(part).tolist() == pytest.approx([0.1 + 0.5 * 5 / 19, 0.0])
    drawn = step.draw(np.full((5000, 1), 2), np.random.default_rng(1).random(5000), part).number
    assert set(drawn) == {94, 95, 96, 97, 98}
    assert (drawn == 95).mean() == pytest.approx((0.1 + 0.5 / 19) / (0.1 + 0.5 * 5 / 19), abs=0.02)
    alone = Part(TWO_STEPS, Intervals(np.array([93]), np.array([93])), False)
    assert set(step.draw(np.full((100, 1), 2), np.random.default_rng(1).random(100), alone).number) == {93}


def test_a_wish_for_a_spike_is_granted() -> None:
    codec, _ = fitted(FAHRENHEIT)
    price = codec.codecs["price"]
    wish = sv.OneOf(50.18, 50.36).wish
    coarse, fine = price.allowed(wish)
    token = np.array([[coarse.argmax(), fine[coarse.argmax()].argmax()]]).repeat(100, axis=0)
    drawn = price.decode(token, Draw(np.arange(100), np.random.default_rng(0).random(100), 0, wish=wish)).to_numpy()
    assert set(drawn) <= {50.18, 50.36}


@pytest.mark.parametrize("values", [FAHRENHEIT, RATIOS], ids=["hundredths", "floats"])
def test_they_are_saved(values: np.ndarray) -> None:
    codec, table = fitted(values)
    assert "spikes" in codec.codecs["price"].state()[1]
    again = type(codec).from_state(codec.schema, codec.state())
    np.testing.assert_array_equal(redrawn(again, table), redrawn(codec, table))
    np.testing.assert_allclose(again.log_density(table), codec.log_density(table))
