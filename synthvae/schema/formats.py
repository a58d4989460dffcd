"""Which format a column of text is written in, if its values are numbers or moments: guessed by reading and writing.

A format is right where what it reads, written again, is the text that was there, in all rows but fewer than
``min_count`` and those of one marker ("?").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.schema import written
from synthvae.schema.support import Array, Support

LONGEST = 40  # characters: what is longer is a text
WRITTEN = 50_000  # distinct values that are written again; of more, the others need only be read
TRIED = 200  # distinct values that must be right before all are looked at
MOST_MARKED = 0.95  # a column that is nearly always its marker is one of levels
_DATES = ("%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%-m/%-d/%Y",
          "%-d/%-m/%Y", "%-d.%-m.%Y", "%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%B %d, %Y", "%d %B %Y", "%Y%m%d",
          "%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%-m/%-d/%y", "%Y.%m.%d")  # fmt: skip
_TIMES = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%3f", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%-I:%M %p", "%-I:%M:%S %p",
          "%-H:%M", "%-H:%M:%S")  # fmt: skip
_ISO = tuple(f"%Y-%m-%d{apart}{time}{zone}" for time, apart, zone in product(_TIMES[:4], "T ", ("", "Z", "+00:00")))
_MOMENTS = (*_DATES, *_ISO, *(f"{day} {time}" for day in _DATES[1:] for time in _TIMES), "%Y%m%dT%H%M%S",
            "%Y%m%d%H%M%S", "%Y-%m", "%m/%Y", "%b %Y", "%b-%y", *_TIMES)  # fmt: skip
_SHAPE = re.compile(r"(?P<before>[$€£¥]?)(?P<number>-?[\d,]*\.?\d+)(?P<after> ?[%€£$°]| ?[A-Za-z][A-Za-z/²³]{0,5}|)")


@dataclass(frozen=True)
class Written:
    """How a column of text is written. values: (n,) its numbers or moments, null where the text is none."""

    format: str
    marker: str | None
    values: pa.Array


def number_format_of(texts: pa.ChunkedArray, support: Support) -> Written | None:
    """The format of numbers (n,) large_string without nulls; None where they are no numbers."""
    return _found(texts, support, _number_formats, written.read_numbers, written.write_numbers)


def moment_format_of(texts: pa.ChunkedArray, support: Support) -> Written | None:
    """The same for dates and instants."""
    return _found(texts, support, _moment_formats, written.read_moments, written.write_moments)


def _found(
    texts: pa.ChunkedArray,
    support: Support,
    formats: Callable[[pa.Array], Iterator[str]],
    read: Callable[[pa.Array, str], pa.Array],
    write: Callable[[pa.Array, str], pa.Array],
) -> Written | None:
    coded = texts.combine_chunks().dictionary_encode()
    distinct, codes = coded.dictionary, np.asarray(coded.indices)
    counts = support.counts(codes, len(distinct))
    order = np.argsort(-counts, kind="stable")[:TRIED]
    some = distinct.take(pa.array(np.sort(order)))
    if not _bare(pc.max(pc.utf8_length(some)).as_py()):
        return None
    for text in formats(some):
        # one of them may be the marker, a few more somebody's slip
        if int(_right(some, text, read, write)[1].sum()) >= len(some) - max(1, len(some) // 20):
            values, right = _right(distinct, text, read, write)
            marker = _marker(right, counts, codes, support)
            if marker is not None:
                stands = distinct[int(marker)].as_py() if marker >= 0 else None
                known = pa.array(np.where(right, np.arange(len(distinct)), -1))
                known = pc.if_else(pc.less(known, 0), pa.scalar(None, known.type), known)
                return Written(text, stands, values.take(known).take(coded.indices))
    return None


def _bare(longest: int | None) -> bool:
    return longest is not None and longest <= LONGEST


def _right(
    texts: pa.Array, text: str, read: Callable[[pa.Array, str], pa.Array], write: Callable[[pa.Array, str], pa.Array]
) -> tuple[pa.Array, Array]:
    """What the texts (k,) mean, and (k,) whether it is written as they are: asked of ``WRITTEN`` of them at most."""
    values = read(texts, text)
    right = np.array(values.is_valid())
    asked = pa.array(np.unique(np.linspace(0, len(texts) - 1, min(len(texts), WRITTEN)).astype(np.int64)))
    same = pc.equal(write(values.take(asked), text), texts.take(asked))
    right[np.asarray(asked)] = np.asarray(pc.fill_null(same, False))
    return values, right


def _marker(right: Array, counts: Array, codes: Array, support: Support) -> int | None:
    """The place of the text that stands for no value, -1 where there is none; None where too much is left over."""
    wrong = np.flatnonzero(~right)
    if right.sum() < 2:
        return None
    marker = -1
    if wrong.size and counts[wrong].max() >= support.min_count:
        marker = int(wrong[np.argmax(counts[wrong])])
        if (codes == marker).mean() > MOST_MARKED:
            return None
        wrong = wrong[wrong != marker]
    return marker if support.count(np.isin(codes, wrong)) < support.min_count else None


def _number_formats(some: pa.Array) -> Iterator[str]:
    """Formats that may fit, from the shapes of some values (k,)."""
    shapes = [found for text in some.to_pylist() if (found := _SHAPE.fullmatch(text))]
    if not shapes:
        return
    frames = [(found["before"], found["after"]) for found in shapes]
    before, after = max(dict.fromkeys(frames), key=frames.count)
    numbers = [found["number"] for found in shapes]
    places = max(len(number.partition(".")[2]) for number in numbers)
    kinds = ["{:d}", "{:,d}"] if not places else [f"{{:.{places}f}}", f"{{:,.{places}f}}"] if places < 10 else []
    for kind in (*kinds, "{}", "{:g}"):
        yield f"{before}{kind}{after}"


def _moment_formats(some: pa.Array) -> Iterator[str]:
    """Formats whose length and signs some value (the one in the middle) has."""
    texts = [text for text in some.to_pylist() if any(map(str.isdigit, text))]
    if not texts:
        return
    sign = re.sub(r"[A-Za-z]+", "a", re.sub(r"\d+", "0", texts[len(texts) // 2]))
    yield from (text for text in _MOMENTS if _sign(text) == sign)


def _sign(text: str) -> str:
    """A format as what its values look like: digits 0, letters a."""
    looks = re.sub(r"%-?[A-Za-z]|%[36]f", lambda found: "a" if found[0][-1] in "bBp" else "0", text)
    return re.sub(r"[A-Za-z]+", "a", re.sub(r"0+", "0", looks.replace("+00:00", "+0:0")))
