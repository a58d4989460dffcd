"""Randomness that belongs to a row: tile t of seed s always holds the same numbers, whoever asks for it."""

from __future__ import annotations

import secrets

import numpy as np

from synthvae.errors import ParameterError
from synthvae.networks.layout import Array

TILE = 512  # rows the network completes at once: activations of one block fit the processor's cache
DRAW, PICK, POOL, LATENT, PRIOR, SETTLE = 1, 2, 3, 4, 5, 6  # what the numbers are for: each use has its own


def seed_of(random_state: int | np.random.Generator | None) -> int:
    """A seed from what the user gave: an integer as it is, a generator's next draw, or the operating system's.

    ParameterError where it is none of these.
    """
    if random_state is None:
        return secrets.randbits(63)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63))
    if not isinstance(random_state, (int, np.integer)) or isinstance(random_state, bool) or random_state < 0:
        raise ParameterError(
            f"random_state must be a whole number, 0 or more, a numpy.random.Generator or None; got {random_state!r}."
        )
    return int(random_state)


def generator(seed: int, use: int, place: int, attempt: int = 0) -> np.random.Generator:
    """The generator of one tile (or chunk) for one use; attempt: how often its rows were thrown away before."""
    key = np.random.SeedSequence(seed).generate_state(2, np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=[0, attempt, place, use]))


def opposites(seed: int, count: int, size: int) -> list[Array]:
    """An even number of standard normals (size,), float32, the same for all rows; half are the others' opposites."""
    half = generator(seed, LATENT, 0).standard_normal((count // 2, size), dtype=np.float32)
    return [*half, *-half]


def tile_noise(seed: int, tile: int, uniforms: int, normals: int, attempt: int = 0) -> tuple[Array, Array]:
    """Uniforms in [0, 1) (TILE, uniforms) and normals (TILE, normals), float32, of tile ``tile``."""
    rng = generator(seed, DRAW, tile, attempt)
    return rng.random((TILE, uniforms), dtype=np.float32), rng.standard_normal((TILE, normals), dtype=np.float32)
