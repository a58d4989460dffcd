"""The tokens of a number: null, atoms (values with a token of their own), bins and the steps inside them, NaN.

Tokens of the coarse block: 0 null, 1..a atoms, a+1..a+c bins, a+c+1 NaN where it is known. Tokens of the fine block,
there only where some bin has several steps: 0 nothing to refine, 1..f the steps of the bin.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from synthvae.codecs.base import BoolArray, FloatArray, IntArray
from synthvae.codecs.grid import NumberArray, Units

LOOKED_UP_ROWS, LOOKED_UP_RANGE = 10_000, 1 << 21  # a table of 8 MB, built in milliseconds


@dataclass(frozen=True, eq=False)
class Bins:
    """Where the tokens of a number lie on its axis (integers or floats).

    atoms: (a,) increasing. edges: (s + 1,) the first value of each step, then the last value of all (included), or
    (0,) where there are no bins. first: (c + 1,) the first step of each bin, then s. nan: whether NaN has a token.
    On an integer axis a step holds the integers between its edges that are not atoms.
    """

    atoms: NumberArray
    edges: NumberArray
    first: IntArray
    nan: bool

    @property
    def bins(self) -> int:
        """c, the number of bins."""
        return len(self.first) - 1

    @property
    def steps(self) -> int:
        """s, the number of steps over all bins."""
        return max(len(self.edges) - 1, 0)

    @property
    def steps_in_bin(self) -> IntArray:
        """(c,) number of steps of each bin."""
        return np.diff(self.first)

    @cached_property
    def step_bins(self) -> IntArray:
        """(s,) the bin of each step."""
        return np.repeat(np.arange(self.bins), self.steps_in_bin)

    @property
    def refined(self) -> bool:
        """Whether there is a fine block."""
        return self.steps > self.bins

    @property
    def size(self) -> int:
        """Tokens of the coarse block."""
        return 1 + len(self.atoms) + self.bins + int(self.nan)

    @property
    def fine_size(self) -> int:
        """Tokens of the fine block."""
        return 1 + int(self.steps_in_bin.max(initial=0))

    @cached_property
    def representatives(self) -> NumberArray:
        """The atoms, and the first and last value of all steps together, in order."""
        ends = self.edges[[0, -1]] if self.bins else self.edges
        return np.unique(np.concatenate([self.atoms, ends]))

    @property
    def integer(self) -> bool:
        """Whether the axis is the integers."""
        return bool(self.atoms.dtype.kind == "i")

    def encode(self, units: Units) -> IntArray:
        """Units (n,) -> tokens (n, b) int32; a value never seen goes to the bin around it, or to the nearest end."""
        tokens = np.take(self._cells[1], self._cell(units.number), axis=0)  # (n, b)
        tokens[units.null] = 0
        tokens[units.nan] = [self.size - 1 if self.nan else 0] + [0] * (tokens.shape[1] - 1)
        return tokens

    def decode(self, tokens: IntArray, uniforms: FloatArray) -> Units:
        """Tokens (n, b) and uniforms (n,) -> units: atoms as they are, steps uniform over what they hold."""
        coarse, atoms = np.ascontiguousarray(tokens[:, 0]), len(self.atoms)
        exact = np.zeros(self.size, self.atoms.dtype)
        exact[1 : 1 + atoms] = self.atoms
        number = np.take(exact, coarse)
        inside = np.flatnonzero((coarse > atoms) & (coarse <= atoms + self.bins))
        if len(inside) == len(number) > 0:
            number = self._draw(self.step(tokens), uniforms)
        elif len(inside):
            number[inside] = self._draw(self.step(tokens[inside]), uniforms[inside])
        return Units(number, coarse == 0, coarse > atoms + self.bins)

    def is_step(self, tokens: IntArray) -> BoolArray:
        """(n,) whether tokens (n, b) stand for a step, not for null, an atom, NaN or nothing (-1)."""
        coarse, atoms = tokens[:, 0], len(self.atoms)
        return np.asarray((coarse > atoms) & (coarse <= atoms + self.bins))

    def log_density(self, tokens: IntArray) -> FloatArray:
        """Tokens (n, b) -> minus the log of the number of values, or the width, that share them, 0 off the steps."""
        found, inside = np.zeros(len(tokens)), self.is_step(tokens)
        low, high = (ends[self.step(tokens[inside])].astype(np.float64) for ends in self.ends)
        size = high - low + (1.0 if self.integer else 0.0)
        found[inside] = -np.log(np.maximum(size, np.finfo(np.float64).tiny))
        return found

    def beyond(self, units: Units) -> FloatArray:
        """(n,) how far values lie beyond all that have tokens, in interquartile ranges of the steps; 0 within.

        They share the token of the nearest end, so without it any value beyond would be as likely as the end itself.
        """
        known, number = self.representatives.astype(np.float64), units.number.astype(np.float64)
        if not len(known):
            return np.zeros(len(number))
        beyond = np.maximum(np.maximum(known[0] - number, number - known[-1]), 0.0)
        quartiles = np.quantile(self.edges.astype(np.float64), [0.25, 0.75]) if self.bins else known[[0, -1]]
        scale = np.ptp(quartiles) or np.ptp(known) or max(abs(known[0]), 1.0)
        return np.where(units.null | units.nan, 0.0, beyond / scale)

    def span(self, tokens: IntArray) -> tuple[IntArray, IntArray]:
        """The first and the last integer (n,) of tokens (n, b) that stand for steps; atoms may lie between."""
        low, high = (unsqueeze(ends[self.step(tokens)], self.atoms) for ends in self.ends)
        return low, high

    @cached_property
    def compatible(self) -> BoolArray:
        """(v, v_fine) which steps may follow which coarse token."""
        allowed = np.zeros((self.size, self.fine_size), bool)
        allowed[:, 0] = True
        steps = np.arange(self.fine_size)
        rows = slice(1 + len(self.atoms), 1 + len(self.atoms) + self.bins)
        allowed[rows] = (steps > 0) & (steps <= self.steps_in_bin[:, None])
        return allowed

    def step(self, tokens: IntArray) -> IntArray:
        """Tokens (n, b) of steps -> the step of each (n,)."""
        bins = tokens[:, 0].astype(np.int64) - 1 - len(self.atoms)
        if tokens.shape[1] == 1:
            return self.first[bins]
        return self.first[bins] + np.clip(tokens[:, 1].astype(np.int64), 1, self.steps_in_bin[bins]) - 1

    def _draw(self, step: IntArray, uniforms: FloatArray) -> NumberArray:
        low, high = (ends[step] for ends in self.ends)
        if self.integer:
            return unsqueeze(low + _floor_of_product(uniforms, low, high), self.atoms)
        drawn = (low.astype(np.float64) * (1 - uniforms) + high.astype(np.float64) * uniforms).astype(low.dtype)
        # Only rounding can leave the step; the float before its end is where it then belongs.
        last = np.where(step == self.steps - 1, high, np.nextafter(high, low))
        return self.free(np.clip(drawn, low, last))

    def free(self, drawn: NumberArray) -> NumberArray:
        """Floats (m,), those that hit an atom moved down to the next float that is none."""
        if not len(self.atoms):
            return drawn
        place = np.minimum(np.searchsorted(self.atoms, drawn), len(self.atoms) - 1)
        return np.where(self.atoms[place] == drawn, off_atoms(self.atoms, self.atoms, up=False)[place], drawn)

    @cached_property
    def ends(self) -> tuple[NumberArray, NumberArray]:
        """(s,) first and last point of each step: squeezed and included on integers, the edges on floats."""
        if not self.integer:
            return self.edges[:-1], self.edges[1:]
        low = squeeze_up(self.edges[:-1], self.atoms)
        return low, np.append(low[1:] - 1, squeeze_down(self.edges[-1:], self.atoms))

    def _cell(self, number: NumberArray) -> IntArray:
        """The cell of each number (n,); among many integers of a narrow range they are looked up, not searched for."""
        boundaries = self._cells[0]
        if len(number) < LOOKED_UP_ROWS or self._cell_of is None:
            return np.searchsorted(boundaries, number, side="right")
        return np.take(self._cell_of, np.clip(number, boundaries[0] - 1, boundaries[-1]) - (boundaries[0] - 1))

    @cached_property
    def _cell_of(self) -> IntArray | None:
        """The cells of all integers from the one before the first boundary to the last; None where they are too
        many."""
        boundaries = self._cells[0]
        if not self.integer or not len(boundaries) or int(boundaries[-1]) - int(boundaries[0]) > LOOKED_UP_RANGE:
            return None
        return np.repeat(
            np.arange(len(boundaries) + 1, dtype=np.int32),
            np.diff(boundaries, prepend=boundaries[0] - 1, append=boundaries[-1] + 1),
        )

    @cached_property
    def _cells(self) -> tuple[NumberArray, IntArray]:
        """Boundaries (k,) of cells within which the tokens are constant, and the tokens (k + 1, b) of the cells."""
        if not self.bins:
            boundaries = _midpoints(self.atoms)
            table = np.arange(1, len(boundaries) + 2)[:, None] if len(self.atoms) else np.zeros((1, 1))
            return boundaries, table.astype(np.int32)
        below = self.edges[:1] if not len(self.atoms) else np.minimum(self.edges[:1], self.atoms[:1])
        boundaries = np.unique(np.concatenate([self.edges[1:-1], self.atoms, _after(self.atoms)]))
        inside = np.concatenate([_before(below), boundaries])
        return boundaries, self._classify(inside)

    def _classify(self, number: NumberArray) -> IntArray:
        step = np.clip(np.searchsorted(self.edges[:-1], number, side="right") - 1, 0, self.steps - 1)
        bins = np.searchsorted(self.first[:-1], step, side="right") - 1
        atom = np.searchsorted(self.atoms, number)
        hit = np.isin(number, self.atoms)
        coarse = np.where(hit, 1 + atom, 1 + len(self.atoms) + bins)
        fine = np.where(hit, 0, 1 + step - self.first[bins])
        columns = [coarse, fine] if self.refined else [coarse]
        return np.stack(columns, axis=1).astype(np.int32)


def squeeze_up(number: NumberArray, atoms: NumberArray) -> NumberArray:
    """The integers without the atoms, numbered without gaps: the number of the first one at or above ``number``."""
    return number - np.searchsorted(atoms, number, side="left")


def squeeze_down(number: NumberArray, atoms: NumberArray) -> NumberArray:
    """The same for the last one at or below ``number``."""
    return number - np.searchsorted(atoms, number, side="right")


def unsqueeze(squeezed: NumberArray, atoms: NumberArray) -> NumberArray:
    """The inverse: the integer, never an atom, with that number."""
    return squeezed + np.searchsorted(atoms - np.arange(len(atoms)), squeezed, side="right")


def off_atoms(floats: NumberArray, atoms: NumberArray, up: bool) -> NumberArray:
    """Floats, those on an atom moved up or down to the next float that is none."""
    hit = np.isin(floats, atoms)
    while hit.any():
        floats = np.where(hit, np.nextafter(floats, floats.dtype.type(np.inf if up else -np.inf)), floats)
        hit = np.isin(floats, atoms)
    return floats


def _floor_of_product(uniforms: FloatArray, low: IntArray, high: IntArray) -> IntArray:
    """floor(u * (high - low + 1)); the difference in uint64, where even the whole of int64 fits."""
    widest = high.view(np.uint64) - low.view(np.uint64)
    product = (uniforms * (widest.astype(np.float64) + 1.0)).astype(np.uint64)
    return np.minimum(product, widest).view(np.int64)


def _midpoints(atoms: NumberArray) -> NumberArray:
    """(a - 1,) the first value nearer to the right one of two neighbouring atoms than to the left one."""
    if len(atoms) < 2:
        return atoms[:0]
    left, right = atoms[:-1], atoms[1:]
    if atoms.dtype.kind == "i":
        return left + ((right.view(np.uint64) - left.view(np.uint64)) // 2 + 1).view(np.int64)
    middle = left / 2 + right / 2
    return np.where(np.isneginf(left), np.nextafter(left, right), middle).astype(atoms.dtype)


def _after(number: NumberArray) -> NumberArray:
    if number.dtype.kind == "i":
        return number[number < np.iinfo(np.int64).max] + 1
    return np.asarray(np.nextafter(number, number.dtype.type(np.inf)))


def _before(number: NumberArray) -> NumberArray:
    if number.dtype.kind == "i":
        return np.maximum(number, np.iinfo(np.int64).min + 1) - 1
    return np.asarray(np.nextafter(number, number.dtype.type(-np.inf)))
