"""Free text that looks like the table's, character by character, and repeats none of it.

An automaton: a state is the longest context, up to ``CONTEXT`` characters, that enough different texts share, and a
character may follow where it does so in enough of them (the longest-suffix back-off of Ron, Singer, Tishby 1996,
"The power of amnesia"). What the automaton can spell of the texts it was learned from is cut: the rarest transition on
the way of each such text is removed until none is left. So no text of the table can come out, and none has to be kept.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.base import BoolArray, FloatArray, IntArray
from synthvae.codecs.noise import key_of, uniforms

CONTEXT = 5  # characters that decide on the next
MOST_TEXTS, MOST_READ = 20_000, 2_000_000  # texts, characters that are read for frequencies; all are for repeats
MOST_SIGNS = 1000  # different characters, the most frequent
LONGEST = 2000  # characters of a text that are looked at
START = 0  # the sign before the first character
CHUNK = 50_000  # texts at once


@dataclass(frozen=True, eq=False)
class Characters:
    """signs: the alphabet; state 0 is the beginning. first: (s + 1,) where the transitions of each state begin; sign,
    chance, after: (t,) which sign follows, how likely it or one before it does, and the state it leads to.
    """

    signs: str
    first: IntArray
    sign: IntArray
    chance: FloatArray
    after: IntArray

    @classmethod
    def learn(cls, texts: pa.Array, min_count: int) -> Self | None:
        """From distinct texts (n,); None where too few of them have anything in common."""
        texts = pc.utf8_slice_codeunits(texts, 0, LONGEST)
        some = _some(texts)
        signs = _signs(some, min_count)
        found = _Transitions.of(_matrix(some, signs), len(signs) + 2, min_count)
        chunks = [_matrix(texts.slice(at, CHUNK), signs) for at in range(0, len(texts), CHUNK)]
        while found.usable:
            cut = np.any([found.repeats(matrix) for matrix in chunks], axis=0)
            if not cut.any():
                return cls(signs, *found.automaton())
            found = found.without(cut)
        return None

    def spelt(self, lengths: IntArray, rows: IntArray, key: int) -> pa.Array:
        """Texts of about so many characters (n,), each the function of its row number and the key."""
        signs = np.zeros((len(lengths), int(lengths.max(initial=0))), np.int64)
        state = np.zeros(len(lengths), np.int64)
        ends = self.chance + np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))
        for place in range(signs.shape[1]):
            going = np.flatnonzero(lengths > place)
            target = state[going] + uniforms(key_of(key, "character", place), rows[going])
            taken = np.minimum(np.searchsorted(ends, target, side="right"), len(ends) - 1)
            signs[going, place], state[going] = self.sign[taken], self.after[taken]
        alphabet = np.array(["", *self.signs])
        letters = alphabet[signs] if signs.size else np.zeros((len(lengths), 0), "U1")
        return pc.utf8_rtrim_whitespace(pa.array(["".join(row) for row in letters], pa.large_string()))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
        """What is to be saved."""
        arrays = {"first": self.first, "sign": self.sign, "chance": self.chance, "after": self.after}
        return {"signs": self.signs}, {f"characters_{name}": array for name, array in arrays.items()}

    @classmethod
    def from_state(cls, facts: dict[str, Any], arrays: dict[str, np.ndarray[Any, Any]]) -> Self:
        """The inverse of ``state``."""
        return cls(facts["signs"], *(arrays[f"characters_{name}"] for name in ("first", "sign", "chance", "after")))


@dataclass(frozen=True, eq=False)
class _Transitions:
    """Which sign may follow which context. contexts: increasing codes of all states; state: (t,) indices into them,
    sign: (t,), increasing together; texts: (t,) how many different texts have it; size: of the alphabet, START and what
    is no sign included.
    """

    contexts: IntArray
    state: IntArray
    sign: IntArray
    texts: FloatArray
    size: int

    @classmethod
    def of(cls, matrix: IntArray, size: int, min_count: int) -> Self:
        """Those that ``min_count`` of the texts share."""
        parts = [_shared(matrix, order, size, min_count) for order in range(CONTEXT + 1)]
        codes, sign, texts = (np.concatenate(column) for column in zip(*parts, strict=True))
        contexts, state = np.unique(codes, return_inverse=True)
        order = np.lexsort((sign, state))
        return cls(contexts, state[order], sign[order], texts[order].astype(np.float64), size)

    @property
    def usable(self) -> bool:
        """Whether something may follow whatever came before: there is a state without a context."""
        return bool(len(self.contexts)) and self.contexts[0] == 0

    @cached_property
    def beginning(self) -> int:
        """The state before the first character."""
        return int(self.states(np.full((1, CONTEXT), START))[0])

    @cached_property
    def after(self) -> IntArray:
        """(t,) the state that each transition leads to."""
        return self.states(self._following())

    def without(self, cut: BoolArray) -> _Transitions:
        """With the transitions that are not cut, and the states that still lead somewhere."""
        used, state = np.unique(self.state[~cut], return_inverse=True)
        return _Transitions(self.contexts[used], state, self.sign[~cut], self.texts[~cut], self.size)

    def repeats(self, matrix: IntArray) -> BoolArray:
        """(t,) the rarest transition on the way of each text of the matrix that can be spelt whole."""
        alive = matrix[:, 0] > 0
        rarest, at = np.full(len(matrix), np.inf), np.zeros(len(matrix), np.int64)
        state = np.full(len(matrix), self.beginning)
        for place in range(matrix.shape[1]):
            going = np.flatnonzero(alive & (matrix[:, place] > 0))
            taken = self.taken(state[going], matrix[going, place].astype(np.int64))
            alive[going], state[going] = taken >= 0, self.after[taken]
            less = (taken >= 0) & (self.texts[taken] < rarest[going])
            rarest[going[less]], at[going[less]] = self.texts[taken[less]], taken[less]
        cut = np.zeros(len(self.state), bool)
        cut[at[alive]] = True
        return cut

    def taken(self, state: IntArray, sign: IntArray) -> IntArray:
        """(n,) the transition of a state by a sign, -1 where there is none."""
        codes, wanted = self.state * self.size + self.sign, state * self.size + sign
        place = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
        return np.where((codes[place] == wanted) & (sign > 0), place, -1)

    def states(self, before: IntArray) -> IntArray:
        """(n,) the state of the last characters (n, CONTEXT): the longest context that is one."""
        found = np.zeros(len(before), np.int64)
        for order in range(CONTEXT + 1):
            codes = _codes(before[:, CONTEXT - order :], self.size)
            place = np.minimum(np.searchsorted(self.contexts, codes), len(self.contexts) - 1)
            found = np.where(self.contexts[place] == codes, place, found)
        return found

    def automaton(self) -> tuple[IntArray, IntArray, FloatArray, IntArray]:
        """first, sign, chance and after of ``Characters``; the state of the beginning becomes number 0."""
        number = np.arange(len(self.contexts))
        number = number + (number < self.beginning)
        number[self.beginning] = 0
        order = np.argsort(number[self.state], kind="stable")
        state, texts = number[self.state][order], self.texts[order]
        first = np.searchsorted(state, np.arange(len(number) + 1))
        sums = np.cumsum(texts)
        before = np.append(0.0, sums)[first]
        chance = (sums - before[state]) / np.diff(before)[state]
        return first, self.sign[order], chance, number[self.after][order]

    def _following(self) -> IntArray:
        """(t, CONTEXT) the last characters after each transition, as far as its context tells."""
        codes, digits = self.contexts[self.state], []
        for _ in range(CONTEXT):
            codes, digit = np.divmod(codes, self.size + 1)
            digits.append(digit - 1)  # -1 beyond the context: no context has that
        return np.stack([*digits[-2::-1], self.sign], axis=1)


def _codes(contexts: IntArray, size: int) -> IntArray:
    """(n, order) signs -> one number per context, of any order."""
    codes = np.zeros(len(contexts), np.int64)
    for column in contexts.T:
        codes = codes * (size + 1) + column + 1
    return codes


def _shared(matrix: IntArray, order: int, size: int, min_count: int) -> tuple[IntArray, IntArray, IntArray]:
    """Contexts of ``order`` signs, the sign after them, and how many different texts have both, where enough do."""
    padded = np.concatenate([np.full((len(matrix), order), START), matrix], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, order + 1, axis=1)  # (n, longest, order + 1)
    row, place = np.nonzero((windows[:, :, -1] > 0) & (windows < size - 1).all(axis=2))
    grams = windows[row, place].astype(np.int64)
    pairs = _codes(grams[:, :-1], size) * np.int64(size) + grams[:, -1]
    gram, which = np.unique(pairs, return_inverse=True)
    owners = np.unique(which * np.int64(len(matrix)) + row) // len(matrix)
    counts = np.bincount(owners, minlength=len(gram))
    kept = counts >= min_count
    return gram[kept] // size, gram[kept] % size, counts[kept]


def _some(texts: pa.Array) -> pa.Array:
    """Enough of the texts (n,) to tell what is frequent."""
    longest = pc.max(pc.utf8_length(texts)).as_py() or 1
    count = min(len(texts), MOST_TEXTS, max(MOST_READ // longest, 1))
    return texts.take(pa.array(np.unique(np.linspace(0, len(texts) - 1, count).astype(np.int64))))


def _signs(texts: pa.Array, min_count: int) -> str:
    """The characters that enough of the texts have, in order."""
    seen = Counter(sign for text in texts.to_pylist() for sign in set(text) if sign.isprintable())
    return "".join(sorted(sign for sign, count in seen.most_common(MOST_SIGNS) if count >= min_count))


def _matrix(texts: pa.Array, signs: str) -> IntArray:
    """(n, longest) the number of each character in the alphabet, from 1; one that is no sign is the last number + 1,
    what lies behind the end 0."""
    wide = np.array(texts.to_pylist(), dtype=np.str_)
    codes = wide.view(np.uint32).reshape(len(texts), -1)  # (n, longest)
    known = np.array([ord(sign) for sign in signs] or [0], np.uint32)
    place = np.minimum(np.searchsorted(known, codes), len(known) - 1)
    return np.where(codes == 0, 0, np.where(known[place] == codes, place + 1, len(signs) + 1)).astype(np.uint16)
