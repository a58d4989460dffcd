"""Where the rows of a tile start: what is known of them beforehand, and their latents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from synthvae.generation.noise import PICK, TILE, generator
from synthvae.generation.pool import Pool
from synthvae.generation.posterior import Posterior
from synthvae.networks.layout import Array
from synthvae.networks.vae import VAE

Complete = Callable[..., Array]


class Start(ABC):
    """The starting points of tiles of TILE rows."""

    @abstractmethod
    def tile(self, seed: int, tile: int, normals: Array, attempt: int) -> tuple[Array, ...]:
        """Standard normals (TILE, k) -> what ``completing`` takes besides uniforms, a line per row: tokens (TILE, b)
        int32, known (TILE, b), z (TILE, k) where it changes nothing."""

    def completing(self, complete: Complete) -> Complete:
        """The call that completes what ``tile`` returns, with uniforms (TILE, b): ``complete`` itself, or one before
        it."""
        return complete


class Free(Start):
    """Nothing is known; z is drawn from the prior."""

    def __init__(self, vae: VAE) -> None:
        self.vae = vae

    def tile(self, seed: int, tile: int, normals: Array, attempt: int) -> tuple[Array, Array, Array]:
        none = np.zeros((TILE, self.vae.layout.b), "int32")
        return none, none.astype(bool), np.asarray(self.vae.prior.sample(normals))


@dataclass(frozen=True, eq=False)
class Picked(Start):
    """Each row picks a member of a pool by a uniform of its own; shares: (p,) of the pools, summing to 1."""

    pools: tuple[Pool, ...]
    shares: Array

    @cached_property
    def known(self) -> Array:
        """(p, b) the blocks each pool sets."""
        known = np.zeros((len(self.pools), self.pools[0].tokens.shape[1]), bool)
        for place, pool in enumerate(self.pools):
            known[place, list(pool.blocks)] = True
        return known

    def tile(self, seed: int, tile: int, normals: Array, attempt: int) -> tuple[Array, ...]:
        rng = generator(seed, PICK, tile, attempt)
        tokens, known, z, _ = self.picked(rng.random(TILE), rng.random((TILE, 1)))
        return tokens[:, 0], known, z[:, 0]

    def picked(self, which: Array, members: Array) -> tuple[Array, Array, Array, Array]:
        """By uniforms (n,) a pool for each row, by (n, c) its members: tokens (n, c, b), known (n, b), z (n, c, k) and
        the tokens' log p given z (n, c)."""
        places = np.minimum(np.searchsorted(np.cumsum(self.shares), which, side="right"), len(self.pools) - 1)
        first = self.pools[0]
        tokens, z, logs = (
            np.zeros((*members.shape, *x.shape[1:]), x.dtype) for x in (first.tokens, first.z, first.logs)
        )
        for place, pool in enumerate(self.pools):
            rows = places == place
            picked = pool.pick(members[rows])
            tokens[rows], z[rows], logs[rows] = pool.tokens[picked], pool.z[picked], pool.logs[picked]
        return tokens, self.known[places], z, logs


@dataclass(frozen=True, eq=False)
class Partial(Start):
    """Rows given with holes: tokens and known (n, b), one per row number; z is drawn given what is known."""

    posterior: Posterior
    tokens: Array
    known: Array

    def tile(self, seed: int, tile: int, normals: Array, attempt: int) -> tuple[Array, Array, Array]:
        tokens, known = (padded(x[tile * TILE : (tile + 1) * TILE]) for x in (self.tokens, self.known))
        mean, deviation = self.posterior.moments(tokens, known)
        return tokens, known, mean + deviation * normals


def padded(rows: Array) -> Array:
    """Rows (n, ...) -> (TILE, ...), zeros below."""
    return np.concatenate([rows, np.zeros((TILE - len(rows), *rows.shape[1:]), rows.dtype)])
