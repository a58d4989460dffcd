"""Keys: minted from the row number by a keyed permutation, never learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.arrow import value_type
from synthvae.codecs.base import Draw, FitReport, IntArray
from synthvae.codecs.grid import INT64_LIMIT
from synthvae.codecs.minted import MintedCodec
from synthvae.codecs.noise import UIntArray, key_of, mix, permute, uniforms
from synthvae.codecs.template import Check, Letter, Literal, Part, Sequence, Template, parse_template
from synthvae.errors import ParameterError, SchemaError
from synthvae.schema.checkdigits import SCHEMES
from synthvae.schema.columns import Identifier


class IdentifierCodec(MintedCodec):
    """Row i of seed s always gets the same key, and no two rows share one unless the column's keys repeat."""

    def __init__(self, column: Identifier, gaps: bool = False) -> None:
        super().__init__(column, gaps)
        self._type = value_type(column.arrow)
        self._template = parse_template(column.template, column.name)
        if pa.types.is_integer(self._type):
            _check_whole(self._template, self._type, column)

    @property
    def report(self) -> FitReport:
        return FitReport()

    @property
    def room(self) -> int | None:
        return None if self.column.repeats else self.capacity

    @property
    def capacity(self) -> int | None:
        """How many different keys there are; None where a sequence never ends."""
        if not self._template.counts:
            return self._template.space
        if not pa.types.is_integer(self._type):
            return None
        start = max(part.start for part in self._template.parts if isinstance(part, Sequence))
        return _largest(self._type) - start + 1

    def minted(self, draw: Draw) -> pa.Array:
        named = _named(draw.rows.astype(np.int64), self.column.repeats, draw.key)
        if self.column.repeats and self.capacity is not None:
            named %= self.capacity  # no more different keys: they come back all the oftener
        if pa.types.is_integer(self._type) and self._template.counts:
            start = next(part.start for part in self._template.parts if isinstance(part, Sequence))
            return pa.array(named + start)
        return _mint(self._template, named, draw.key)

    def check_room(self, rows: int) -> None:
        """ParameterError where the template has no ``rows`` different keys."""
        if self.room is not None and rows > self.room:
            raise ParameterError(
                f"Column {self.column.name!r}: expected at most {self.room:,} rows, the number of different keys "
                f"of {self.column.template!r}. Got {rows:,}. Ask for fewer rows, or give the column a longer template."
            )


def _named(rows: IntArray, repeats: float, key: int) -> IntArray:
    """(n,) the number of the key of each row: its own, or that of an earlier one.

    Row i takes number floor(u i m) with probability p. The share of different keys is then 1 / (1 + p) where m = 1, and
    m / (1 + m) where p = 1; the number of rows of a key falls with the logarithm of its number.
    """
    if not repeats:
        return rows
    distinct = 1 - repeats
    chance, reach = min(1 / distinct - 1, 1.0), min(distinct / repeats, 1.0)
    again = uniforms(key_of(key, "repeat"), rows) < chance
    return np.where(again, (uniforms(key_of(key, "earlier"), rows) * rows * reach).astype(np.int64), rows)


def _check_whole(template: Template, type_: pa.DataType, column: Identifier) -> None:
    """An integer column takes digits, or one sequence and nothing else."""
    letters = all(letter.alphabet.isdigit() for letter in template.letters)
    literals = all(part.text.isdigit() for part in template.parts if isinstance(part, Literal))
    alone = len(template.parts) == 1 or not template.counts
    if not (template.parts and letters and literals and alone) or _highest(template) > _largest(type_):
        raise SchemaError(
            f"Column {column.name!r}: expected a template that makes {type_} numbers, such as '{{sequence:1}}' or "
            f"'{{number:4}}'. Got {column.template!r}."
        )


def _highest(template: Template) -> int:
    """The largest number the template makes; of a sequence, the first."""
    return int("".join(_last(part) for part in template.parts))


def _last(part: Part) -> str:
    if isinstance(part, Sequence):
        return str(part.start)
    if isinstance(part, Check):
        return "9"
    return part.text if isinstance(part, Literal) else part.alphabet[-1]


def _largest(type_: pa.DataType) -> int:
    bits = int(type_.bit_width) - (0 if pa.types.is_unsigned_integer(type_) else 1)
    return min((1 << bits) - 1, INT64_LIMIT)


def _mint(template: Template, rows: IntArray, key: int) -> pa.Array:
    """Row numbers (n,) -> text (n,)."""
    letters = _letters(template, rows, key)
    pieces: list[pa.Array] = []
    run: list[Literal | Letter | Check] = []
    for part in (*template.parts, Sequence(0)):  # the last one closes the last run
        if isinstance(part, Sequence):
            pieces.append(_fixed_width(run, letters, len(rows)))
            pieces.append(pa.array(rows + part.start).cast(pa.large_string()))
            run = []
        else:
            run.append(part)
    pieces.pop()
    return pieces[0] if len(pieces) == 1 else pc.binary_join_element_wise(*pieces, pa.scalar("", pa.large_string()))


def _letters(template: Template, rows: IntArray, key: int) -> list[UIntArray]:
    """For each letter the place (n,) in its alphabet: digits of the permuted row number, then hashes of it."""
    sizes = [len(letter.alphabet) for letter in template.letters]
    space, leading = template.space, template.leading
    number = permute(key, rows % space, space)
    places: list[UIntArray] = []
    for size in reversed(sizes[:leading]):
        number, place = np.divmod(number, np.uint64(size))
        places.insert(0, place)
    for index, size in enumerate(sizes[leading:]):
        word = mix(mix(rows.view(np.uint64)) ^ np.uint64(key_of(key, "letter", index)))
        places.append(word % np.uint64(size))  # the bias of the remainder is below 2^-57
    return places[::-1]  # taken from the end


def _checked(columns: list[np.ndarray[Any, Any]], scheme: str) -> np.ndarray[Any, Any]:
    """(n, 1) the check digit, in ASCII, of the digits among bytes (n, ...)."""
    before = np.concatenate(columns, axis=1)
    digits = ((before >= 48) & (before <= 57)).all(axis=0)
    return (48 + SCHEMES[scheme](before[:, digits] - 48)).astype(np.uint8)[:, None]


def _fixed_width(parts: list[Literal | Letter | Check], letters: list[UIntArray], rows: int) -> pa.Array:
    """Literals and letters -> text (n,) of one width in bytes, through one byte matrix."""
    columns = []
    for part in parts:
        if isinstance(part, Letter):
            columns.append(np.frombuffer(part.alphabet.encode(), np.uint8)[letters.pop()][:, None])
        elif isinstance(part, Check):
            columns.append(_checked(columns, part.scheme))
        else:
            text = np.frombuffer(part.text.encode(), np.uint8)
            columns.append(np.broadcast_to(text, (rows, len(text))))
    matrix = np.concatenate(columns, axis=1) if columns else np.zeros((rows, 0), np.uint8)  # (n, width)
    offsets = np.arange(rows + 1, dtype=np.int64) * matrix.shape[1]
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(matrix))]
    return pa.Array.from_buffers(pa.large_string(), rows, buffers)
