"""A pool of starting points under a condition: latents with the conditioned cells already drawn, weighted.

Of each latent z ~ p(z) the conditioned cells are drawn one after another, restricted to what is allowed; the weight is
the product of the probabilities of the allowed at each step. So weighted, the pool follows p(z, cells | condition), and
the mean weight is the probability of the condition (sequential importance sampling: Doucet, de Freitas, Gordon 2001,
ch. 1). No row is ever thrown away. The pool depends on seed and condition only, never on how many rows are wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from keras import ops
from scipy.special import logsumexp

from synthvae.errors import ConditionError
from synthvae.generation.complete import NEVER, block_table, inverse_cdf, narrowed
from synthvae.generation.noise import POOL, generator
from synthvae.generation.walk import Walk
from synthvae.networks.layout import Array
from synthvae.networks.vae import VAE

CHUNK = 8192  # latents tried at once
ENOUGH = 4096.0  # effective sample size at which the pool is full
MOST_CHUNKS = 32
TINY = 1e-30  # a condition less likely than this under the model is impossible in floats of single precision


@dataclass(frozen=True, eq=False)
class Pool:
    """Weighted starting points of rows under a condition.

    z: (p, k); tokens: (p, b), those of ``blocks`` are set; logs: (p,) log p(those tokens | z) in nats, as if nothing
    were asked for; weights: (p,) summing to 1; probability: of the condition under the model; effective: the effective
    sample size, 1 / sum of squared weights.
    """

    z: Array
    tokens: Array
    logs: Array
    weights: Array
    blocks: tuple[int, ...]
    probability: float

    @property
    def effective(self) -> float:
        return float(1.0 / np.square(self.weights).sum())

    def pick(self, uniforms: Array) -> Array:
        """(n,) in [0, 1) -> numbers of starting points (n,)."""
        places = np.searchsorted(np.cumsum(self.weights), uniforms, side="right")
        return np.minimum(places, len(self.weights) - 1)


def build(vae: VAE, allowed: Mapping[int, Array], shifts: Sequence[Array], seed: int) -> Pool:
    """The pool of a condition. allowed: block -> the share of each token's values that may be, (v,) or (v_parent, v);
    shifts: what calibration adds to the logits of every block.

    ConditionError where nothing that the model knows meets the condition.
    """
    parts = []
    for part in _chunks(vae, allowed, shifts, seed):
        parts.append(part)
        logs = np.concatenate([part[3] for part in parts])
        if _effective(logs) >= ENOUGH:
            break
    total = logsumexp(logs)
    if not np.isfinite(total) or total - np.log(len(logs)) < np.log(TINY):
        raise ConditionError("The model never saw the like.")
    weights = np.exp(logs - total)
    used = weights > 0
    z, tokens, own = (np.concatenate([part[i] for part in parts])[used] for i in range(3))
    probability = float(np.exp(min(total - np.log(len(logs)), 0.0)))
    return Pool(z, tokens, own, weights[used], tuple(sorted(allowed)), probability)


def _effective(logs: Array) -> float:
    if not np.isfinite(logs.max()):
        return 0.0
    return float(np.exp(2 * logsumexp(logs) - logsumexp(2 * logs)))


def _chunks(
    vae: VAE, allowed: Mapping[int, Array], shifts: Sequence[Array], seed: int
) -> Iterator[tuple[Array, Array, Array, Array]]:
    """Latents (CHUNK, k), tokens (CHUNK, b), their log p and log weights (CHUNK,), chunk after chunk."""
    layout, k = vae.layout, vae.settings.latent_dim
    free = {j: block_table(layout, j, shifts[j]) for j in sorted(allowed)}
    tables = {j: (table, narrowed(table, allowed[j])) for j, table in free.items()}
    for chunk in range(MOST_CHUNKS):
        rng = generator(seed, POOL, chunk)
        z = vae.prior.sample(rng.standard_normal((CHUNK, k), dtype=np.float32))
        walk = Walk.afresh(vae, z)
        own, logs = np.zeros(CHUNK), np.zeros(CHUNK)
        for j, both in tables.items():
            logits = walk.logits(j)
            may, wished = (logits + walk.line(j, table) for table in both)
            drawn = inverse_cdf(wished, rng.random(CHUNK, dtype=np.float32))
            total = ops.logsumexp(may, axis=1)
            logs += np.asarray(ops.logsumexp(wished, axis=1) - total)
            own += np.asarray(ops.take_along_axis(may, drawn[:, None], axis=1)[:, 0] - total)
            walk.reveal(j, drawn)
        logs[logs < NEVER / 2] = -np.inf
        yield np.asarray(z), np.asarray(walk.row_tokens()), own, logs
