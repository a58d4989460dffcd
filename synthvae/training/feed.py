"""What an epoch is fed: all tokens of a table, or a window of random rows of one that does not fit in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from synthvae.networks.layout import Array

RUN_ROWS = 512  # neighbours that stay together: long enough for a disk, short enough for a window to be all over


class Feed(ABC):
    """The tokens (n, b) of each epoch: always as many, so that nothing is compiled twice."""

    @abstractmethod
    def tokens(self, epoch: int) -> Array:
        """(n, b) the rows that the epoch sees."""

    @abstractmethod
    def same(self, epoch: int) -> bool:
        """Whether they are those of the epoch before."""

    @abstractmethod
    def margins(self, sizes: Sequence[int], weights: Array | None) -> list[Array]:
        """Per block (v,) how often each token occurs in all rows, weighted by ``weights`` (n,)."""

    @abstractmethod
    def parts(self) -> Iterable[Array]:
        """All rows, to tell one table from another."""


class Whole(Feed):
    """Every epoch sees all rows."""

    def __init__(self, tokens: Array) -> None:
        self._tokens = tokens

    def tokens(self, epoch: int) -> Array:
        return self._tokens

    def same(self, epoch: int) -> bool:
        return True

    def margins(self, sizes: Sequence[int], weights: Array | None) -> list[Array]:
        return [np.bincount(column, weights, minlength=v) for column, v in zip(self._tokens.T, sizes, strict=True)]

    def parts(self) -> Iterable[Array]:
        return [self._tokens]


class Windows(Feed):
    """Each epoch sees another ``window`` rows out of a file, in runs of neighbours at random places.

    The runs of the table are put in random order; one window after the other takes the next of them, and once all
    rows have been seen the order is drawn anew. counts: per block (v,) of all rows. The file is read, not mapped: pages
    of a map would count as memory.
    """

    def __init__(self, path: Path, rows: int, dtype: np.dtype[Any], counts: Sequence[Array], window: int, seed: int):
        self.path, self.rows, self.dtype, self.counts, self.seed = path, rows, dtype, list(counts), seed
        self.runs = rows // RUN_ROWS  # the last few rows are only counted
        self.of_window = window // RUN_ROWS

    @staticmethod
    def of_rows(rows: int, most: int) -> int:
        """The rows of a window: whole runs, at most ``most`` rows."""
        return max(1, min(most, rows) // RUN_ROWS) * RUN_ROWS

    def tokens(self, epoch: int) -> Array:
        b = len(self.counts)
        made = np.empty((self.of_window, RUN_ROWS, b), self.dtype)
        with self.path.open("rb", buffering=0) as file:
            for place, run in enumerate(self._places(epoch)):
                file.seek(int(run) * made[place].nbytes)
                file.readinto(made[place].reshape(-1).view(np.uint8))
        return made.reshape(-1, b)

    def same(self, epoch: int) -> bool:
        return False

    def margins(self, sizes: Sequence[int], weights: Array | None) -> list[Array]:
        return self.counts

    def parts(self) -> Iterable[Array]:
        return (np.fromfile(self.path, np.uint8, 1 << 24, offset=place) for place in range(0, self._bytes, 1 << 24))

    def _places(self, epoch: int) -> Array:
        """The runs of a window, in the order of the file."""
        wanted = np.arange(epoch * self.of_window, (epoch + 1) * self.of_window)
        found = []
        for turn in np.unique(wanted // self.runs):
            order = np.random.default_rng([self.seed, 6, int(turn)]).permutation(self.runs)
            found.append(order[wanted[wanted // self.runs == turn] % self.runs])
        return np.sort(np.concatenate(found))

    @property
    def _bytes(self) -> int:
        return self.rows * len(self.counts) * self.dtype.itemsize
