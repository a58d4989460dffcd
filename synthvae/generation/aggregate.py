"""The prior made to fit: where the rows of the table really lie in the latent, learned after the networks.

The ELBO pulls q(z | x) towards N(0, I) row by row; the average over rows, the aggregate posterior q(z), is what the
decoder has been told about, and the prior that maximises the ELBO of these networks (Hoffman and Johnson 2016; Tomczak
and Welling 2018). Latents are drawn from q(z | x) of training rows, mixtures are fitted to them by EM, and held-out
rows choose: another prior changes their ELBO by E_q [log p(z) - log N(z; 0, I)], in which the decoder has no part.
(Their evidence, which needs the decoder, chose no better and took a tenth of a short fit.) N(0, I) stays unless a
mixture is better by more than chance. There are BEHIND rows and more for each component, and one that fewer than
``min_count`` rows are behind is left out.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from synthvae.generation.noise import PRIOR, TILE, generator
from synthvae.networks.layout import Array
from synthvae.networks.priors import DiagonalMixture, Prior, StandardNormal
from synthvae.networks.vae import VAE

ENOUGH = 2000  # training rows; fewer place no component with confidence
FITTED = 20_000  # training rows whose latents a mixture is fitted to
JUDGED, DRAWS = 4096, 4  # held-out rows that choose, latents drawn for each
COMPONENTS = (16, 64)
BEHIND = 100
SURE = 2.0  # standard errors by which the ELBO must be better
ROUNDS = 60  # of EM


@dataclass(frozen=True, eq=False)
class Choice:
    """prior: the one to use; gain: by how much its ELBO is above that of N(0, I), nats per held-out row (0 where it is
    N(0, I)); tried: (gain, standard error) of every prior that was fitted.
    """

    prior: Prior
    gain: float
    tried: tuple[tuple[float, float], ...]


def suited(vae: VAE, tokens: Array, held_out: Array, weights: Array | None, min_count: int, seed: int) -> Choice:
    """The prior for networks whose own is N(0, I). tokens (n, b), weights (n,): training rows; held_out: (m, b)."""
    if len(tokens) < ENOUGH:
        return Choice(StandardNormal(), 0.0, ())
    rng = generator(seed, PRIOR, 0)
    z = latents(vae, _some(tokens, weights, rng), rng)
    candidates = [mixture(z, count, min_count, rng) for count in COMPONENTS if count * BEHIND <= len(tokens)]
    told = np.stack([latents(vae, held_out[:JUDGED], rng) for _ in range(DRAWS)])  # (d, m, k)
    gains = np.stack([gained(prior, told).mean(axis=0) for prior in candidates])  # (candidates, m)
    errors = gains.std(axis=1) / np.sqrt(gains.shape[1])
    tried = tuple((float(g), float(e)) for g, e in zip(gains.mean(axis=1), errors, strict=True))
    best = int(np.argmax([gain for gain, _ in tried]))
    gain, error = tried[best]
    return Choice(candidates[best], gain, tried) if gain > SURE * error else Choice(StandardNormal(), 0.0, tried)


def _some(tokens: Array, weights: Array | None, rng: np.random.Generator) -> Array:
    """At most FITTED rows, as often as their weights say."""
    if weights is not None:
        return tokens[rng.choice(len(tokens), min(FITTED, len(tokens)), p=weights / weights.sum())]
    return tokens[rng.permutation(len(tokens))[:FITTED]]


def latents(vae: VAE, tokens: Array, rng: np.random.Generator) -> Array:
    """A draw from q(z | x) for each row: (n, k)."""
    made = []
    for start in range(0, len(tokens), TILE):
        part = tokens[start : start + TILE].astype("int32")
        mean, log_std = (np.asarray(x) for x in vae.encoder(part, np.ones(part.shape, bool)))
        made.append(mean + np.exp(log_std) * rng.standard_normal(mean.shape))
    return np.concatenate(made)


def mixture(z: Array, components: int, min_count: int, rng: np.random.Generator) -> DiagonalMixture:
    """A mixture fitted to latents (n, k) by expectation and maximisation (Dempster, Laird, Rubin 1977)."""
    state = np.random.RandomState(rng.bit_generator.random_raw() % 2**32)
    model = GaussianMixture(
        components, covariance_type="diag", max_iter=ROUNDS, init_params="k-means++", random_state=state
    )
    with threadpool_limits(1), warnings.catch_warnings():  # small products: threads would wait for one another
        warnings.simplefilter("ignore", ConvergenceWarning)  # held-out rows judge what EM came to
        model.fit(z)
    kept = model.weights_ * len(z) >= min_count
    weights = model.weights_[kept] / model.weights_[kept].sum()
    return DiagonalMixture(weights, model.means_[kept], np.sqrt(model.covariances_[kept]))


def gained(prior: Prior, z: Array) -> Array:
    """log p(z) above that under N(0, I): (d, m, k) -> (d, m) nats."""
    flat = z.reshape(-1, z.shape[2]).astype("float32")
    return np.asarray(prior.log_prob(flat) - StandardNormal().log_prob(flat)).reshape(z.shape[:2])
