"""Every prior is a density, draws from that density, and comes back from a bundle."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from keras import ops
from scipy import stats

import synthvae as sv
from synthvae.errors import ParameterError
from synthvae.generation import aggregate
from synthvae.networks.layout import Array
from synthvae.networks.priors import PRIORS, DiagonalMixture, Prior, StandardNormal
from tests.test_golden import GOLDEN

GAUSSIAN = 0.5 * math.log(2 * math.pi * math.e)  # entropy of N(0, 1)


def mixture(k: int) -> DiagonalMixture:
    """Three components so far apart that they do not overlap."""
    means = np.array([-6.0, 0.0, 5.0])[:, None] * np.ones(k)
    return DiagonalMixture(np.array([0.2, 0.5, 0.3]), means, np.array([0.5, 0.3, 0.8])[:, None] * np.ones(k))


EXAMPLES: dict[str, Callable[[int], Prior]] = {
    "standard_normal": lambda k: StandardNormal(),
    "diagonal_mixture": mixture,
}
ENTROPIES: dict[str, Callable[[int], float]] = {
    "standard_normal": lambda k: k * GAUSSIAN,
    "diagonal_mixture": lambda k: sum(w * (k * (GAUSSIAN + math.log(s)) - math.log(w)) for w, s in
                                      ((0.2, 0.5), (0.5, 0.3), (0.3, 0.8))),
}  # fmt: skip
EVERY = pytest.mark.parametrize("kind", sorted(PRIORS))
DIMENSIONS = pytest.mark.parametrize("k", [1, 2, 5])


def scored(prior: Prior, z: Array) -> Array:
    return np.asarray(ops.convert_to_numpy(prior.log_prob(z.astype("float32"))), np.float64)


def noise(n: int, k: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal((n, k), dtype=np.float32)


def test_every_prior_is_listed_here() -> None:
    assert set(EXAMPLES) == set(ENTROPIES) == set(PRIORS)


@EVERY
@pytest.mark.parametrize("k", [1, 2])
def test_the_density_integrates_to_one(kind: str, k: int) -> None:
    axis, step = np.linspace(-12, 12, 1201 if k == 1 else 601, retstep=True)
    grid = np.stack(np.meshgrid(*[axis] * k), axis=-1).reshape(-1, k)
    assert np.exp(scored(EXAMPLES[kind](k), grid)).sum() * step**k == pytest.approx(1.0, abs=1e-4)


@EVERY
@DIMENSIONS
def test_draws_score_as_the_density_says(kind: str, k: int) -> None:
    prior = EXAMPLES[kind](k)
    logs = scored(prior, prior.sample(noise(40_000, k)))
    assert logs.mean() == pytest.approx(-ENTROPIES[kind](k), abs=4 * logs.std() / 200)


@EVERY
@DIMENSIONS
def test_every_dimension_is_drawn_from_its_margin(kind: str, k: int) -> None:
    """Kolmogorov and Smirnov; all margins of an example are alike, so one density in one dimension says them."""
    z, axis = EXAMPLES[kind](k).sample(noise(20_000, k, seed=1)), np.linspace(-12, 12, 4801)
    cdf = np.cumsum(np.exp(scored(EXAMPLES[kind](1), axis[:, None]))) * (axis[1] - axis[0])
    for d in range(k):
        assert stats.kstest(z[:, d], lambda x: np.interp(x, axis, cdf)).pvalue > 0.005


@EVERY
def test_a_row_is_a_function_of_its_own_noise(kind: str) -> None:
    prior, e = EXAMPLES[kind](3), noise(500, 3, seed=2)
    z = prior.sample(e)
    assert z.dtype == np.float32
    np.testing.assert_array_equal(z[100:103], prior.sample(e[100:103]))
    np.testing.assert_array_equal(z, prior.sample(e))
    assert np.isfinite(prior.sample(np.array([[9.0, 0, 0], [-9.0, 0, 0], [40.0, 0, 0]], "float32"))).all()


@EVERY
def test_the_config_makes_it_again(kind: str) -> None:
    prior, e = EXAMPLES[kind](3), noise(100, 3, seed=3)
    again = PRIORS[kind](**prior.config())
    np.testing.assert_array_equal(again.sample(e), prior.sample(e))
    np.testing.assert_array_equal(scored(again, e), scored(prior, e))


@pytest.mark.parametrize(
    ("weights", "means", "deviations"),
    [
        ([0.5, 0.5], np.zeros((3, 2)), np.ones((3, 2))),
        ([0.5, 0.6], np.zeros((2, 2)), np.ones((2, 2))),
        ([1.0, 0.0], np.zeros((2, 2)), np.ones((2, 2))),
        ([1.0], np.zeros((1, 2)), np.zeros((1, 2))),
        ([1.0], np.full((1, 2), np.nan), np.ones((1, 2))),
        ([], np.zeros((0, 2)), np.zeros((0, 2))),
    ],
)
def test_what_is_no_mixture(weights: list[float], means: Array, deviations: Array) -> None:
    with pytest.raises(ParameterError, match="Expected"):
        DiagonalMixture(np.array(weights), means, deviations)


def test_a_fitted_mixture_is_as_good_as_the_true_one() -> None:
    true, rng = mixture(2), np.random.default_rng(4)
    found = aggregate.mixture(true.sample(noise(5000, 2, seed=5)), 3, 5, rng)
    fresh = true.sample(noise(5000, 2, seed=6))
    assert scored(found, fresh).mean() == pytest.approx(scored(true, fresh).mean(), abs=0.02)
    assert scored(found, fresh).mean() > scored(StandardNormal(), fresh).mean() + 1


def test_no_component_stands_on_few_rows() -> None:
    z = np.concatenate([noise(500, 2), np.full((3, 2), 40.0) + noise(3, 2)])
    found = aggregate.mixture(z, 4, 5, np.random.default_rng(7))
    assert (found.weights * len(z) >= 5).all()
    assert found.means.max() < 10


def clusters(rows: int) -> pd.DataFrame:
    """A hidden cause of four values, and eight columns that mostly tell it."""
    rng = np.random.default_rng(8)
    cause, names = rng.integers(0, 4, rows), np.array(list("wxyz"))
    told = {c: np.where(rng.random(rows) < 0.15, rng.integers(0, 4, rows), cause) for c in "abcdefgh"}
    return pd.DataFrame({name: names[value] for name, value in told.items()})


@pytest.fixture(scope="module")
def fitted() -> sv.Synthesizer:
    return sv.Synthesizer(epochs=10, latent_dim=3, random_state=0).fit(clusters(2500))


@pytest.mark.usefixtures("eagerly")
def test_a_fit_takes_the_prior_that_held_out_rows_prefer(fitted: sv.Synthesizer) -> None:
    assert isinstance(fitted.vae_.prior, DiagonalMixture)
    assert fitted.card_["prior"] == "diagonal_mixture"
    assert fitted.card_["prior_gain_nats"] > 0.05
    true, made = clusters(2000), fitted.sample(2000, random_state=1)
    shares = [frame.groupby(["a", "b"]).size() / len(frame) for frame in (true, made)]
    assert shares[1].sub(shares[0], fill_value=0).abs().sum() / 2 < 0.12


@pytest.mark.usefixtures("eagerly")
def test_a_learned_prior_is_saved_and_rows_stay_addressable(fitted: sv.Synthesizer, tmp_path: Path) -> None:
    fitted.save(tmp_path / "m.synthvae")
    again = sv.load(tmp_path / "m.synthvae")
    assert isinstance(again.vae_.prior, DiagonalMixture)
    pd.testing.assert_frame_equal(again.sample(520, random_state=2).head(40), fitted.sample(40, random_state=2))
    few = clusters(50)
    np.testing.assert_allclose(again.log_prob(few), fitted.log_prob(few))


def test_few_rows_keep_the_standard_normal(tmp_path: Path) -> None:
    few = sv.Synthesizer(epochs=1, latent_dim=3, latent_nats=np.float32(1), random_state=0).fit(clusters(300))
    assert few.card_["prior"] == "standard_normal"
    assert few.card_["prior_gain_nats"] == 0
    few.save(tmp_path / "few.synthvae")
    again = sv.load(tmp_path / "few.synthvae")
    assert isinstance(again.vae_.prior, StandardNormal)
    assert again.latent_nats == again.vae_.settings.free_nats == 1


def test_an_older_model_has_a_standard_normal_prior() -> None:
    assert isinstance(sv.load(GOLDEN[0]).vae_.prior, StandardNormal)
    assert isinstance(sv.load(GOLDEN[1]).vae_.prior, DiagonalMixture)


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "4", None, True])
def test_latent_nats_must_be_a_number(value: object) -> None:
    with pytest.raises(ParameterError, match="latent_nats must be a finite number"):
        sv.Synthesizer(latent_nats=value).fit(clusters(20))  # type: ignore[arg-type]


@pytest.mark.slow
def test_latent_nats_is_what_the_latent_carries(fitted: sv.Synthesizer) -> None:
    less = sv.Synthesizer(epochs=10, latent_dim=3, latent_nats=1, random_state=0).fit(clusters(2500))
    assert less.card_["latent_nats"] + 0.5 < fitted.card_["latent_nats"]
