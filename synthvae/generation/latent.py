"""Rows <-> latents: where q(z | known cells) puts a row, and the row that a latent tells by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthvae.codecs.table import TableCodec
from synthvae.errors import ParameterError
from synthvae.generation.complete import sampler
from synthvae.generation.fill import cells, nulls
from synthvae.generation.greedy import greedy
from synthvae.generation.noise import TILE, tile_noise
from synthvae.generation.start import padded
from synthvae.generation.stream import Completer
from synthvae.networks.layout import Array


class Latents:
    """Compiled ways between tokens and latents, for as many rows as asked."""

    def __init__(self, completer: Completer) -> None:
        self.completer, self.codec, self.vae = completer, completer.codec, completer.vae
        self.k = completer.vae.settings.latent_dim

    def moments(self, tokens: Array, known: Array) -> tuple[Array, Array]:
        """(n, b), (n, b) -> mean and standard deviation of q(z | known cells): (n, k), (n, k)."""
        posterior = self.completer.posterior
        made = _by_tile(lambda _, *part: np.concatenate(posterior.moments(*part), axis=1), tokens, known)
        return made[:, : self.k], made[:, self.k :]

    def tokens(self, z: Array, seed: int | None) -> Array:
        """The rows that latents (n, k) tell by themselves: tokens (n, b), drawn where there is a seed."""
        none = np.zeros((len(z), self.vae.layout.b), "int32")
        known, z = none.astype(bool), z.astype("float32")
        if seed is None:
            return _by_tile(lambda _, *part: self._middle(*part), none, known, z)
        shape = self.vae.layout.b, self.k
        return _by_tile(lambda t, *part: self._draw(*part, tile_noise(seed, t, *shape)[0]), none, known, z)

    def table(self, z: Array, seed: int | None) -> pa.Table:
        """The same as a table; where nothing is drawn, a step of a number stands for its middle."""
        rows = np.arange(len(z), dtype=np.int64)
        return self.codec.decode(self.tokens(z, seed), rows, seed or 0, middle=seed is None)

    @cached_property
    def _middle(self) -> Callable[..., Array]:
        return greedy(self.vae, self.completer.shifts, [block.ranks for block in self.codec.blocks])

    @cached_property
    def _draw(self) -> Callable[..., Array]:
        return sampler(self.vae, range(self.vae.layout.b), self.completer.shifts)


def _by_tile(call: Callable[..., Array], *rows: Array) -> Array:
    """A call on tiles of TILE rows, the last one padded, for any number of rows (n, ...)."""
    count = len(rows[0])
    parts = []
    for tile in range(max(-(-count // TILE), 1)):
        own = [x[tile * TILE : (tile + 1) * TILE] for x in rows]
        parts.append(call(tile, *map(padded, own))[: len(own[0])])
    return np.concatenate(parts)


def lacking(codec: TableCodec, table: pa.Table, given: Sequence[str]) -> dict[str, Array]:
    """(n,) where a cell is a hole, by column: nulls of columns that never had one, and all of columns not ``given``.

    Any other null is a value like the others.
    """
    return {name: mask for name, mask in nulls(table).items() if name not in given or not codec.schema[name].nullable}


def moments(latents: Latents, table: pa.Table, holes: Mapping[str, Array]) -> tuple[Array, Array]:
    """Mean and standard deviation of a table's latents: (n, k), (n, k)."""
    return latents.moments(*cells(latents.codec, table, dict(holes)))


def names(k: int) -> list[str]:
    """z0, z1, ...: the dimensions of the latent as columns."""
    return [f"z{i}" for i in range(k)]


def framed(z: Array, index: pd.Index | None) -> pd.DataFrame:
    """Latents (n, k) as a frame."""
    return pd.DataFrame(z.astype(np.float64), columns=pd.Index(names(z.shape[1])), index=index)


def checked(z: Any, k: int) -> Array:
    """Latents as the user gave them, a row of k numbers each: (n, k); ParameterError where they are none."""
    try:
        made = np.atleast_2d(np.asarray(z, np.float64))
    except (TypeError, ValueError):
        raise ParameterError(f"z must be numbers of shape (n, {k}), as encode gives them; got {_said(z)}.") from None
    if made.ndim != 2 or made.shape[1] != k:
        raise ParameterError(f"z must have the {k} columns z0 to z{k - 1} that encode gives; got shape {made.shape}.")
    bad = ~np.isfinite(made).all(axis=1)
    if bad.any():
        raise ParameterError(
            f"z must be finite numbers; {int(bad.sum()):,} of {len(made):,} rows are not, the first is row "
            f"{int(bad.argmax())}."
        )
    return made


def dimension(dim: Any, k: int) -> int:
    """A dimension as the user named it, 3 or "z3"; ParameterError where there is none such."""
    known = names(k)
    if isinstance(dim, str) and dim in known:
        return known.index(dim)
    if isinstance(dim, (int, np.integer)) and not isinstance(dim, bool) and 0 <= dim < k:
        return int(dim)
    raise ParameterError(f"dim must be a number from 0 to {k - 1}, or its name z0 to z{k - 1}; got {dim!r}.")


def _said(z: Any) -> str:
    return f"a {type(z).__name__}"
