"""Findings in texts, asked of each distinct text once: placeholders, blanks, variants, formats, encodings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.evaluation.profile.finding import Finding, Severity
from synthvae.evaluation.profile.look import Look
from synthvae.evaluation.sides import Array
from synthvae.schema.columns import Categorical, Identifier

# Words that say nothing; some of them may be answers in their own right.
NOTHING = ("", "n/a", "na", "n.a.", "nan", "null", "nil", "-", "--", "?", "#n/a", "missing", "undefined", "tbd", "xxx")
PERHAPS = ("none", "unknown", "not available", "not known", "other/unknown", "test")
DATES = {
    "2026-01-31": r"^\d{4}-\d{1,2}-\d{1,2}([T ].*)?$",
    "2026/01/31": r"^\d{4}/\d{1,2}/\d{1,2}$",
    "31.01.2026": r"^\d{1,2}\.\d{1,2}\.\d{2,4}$",
    "31/01/2026": r"^\d{1,2}/\d{1,2}/\d{2,4}$",
    "31-01-2026": r"^\d{1,2}-\d{1,2}-\d{2,4}$",
    "31 Jan 2026": r"^\d{1,2} [A-Za-z]{3,9}\.? \d{2,4}$",
}
WHOLE = r"^[+-]?\d+$"
POINT = r"^[+-]?(\d{1,3}(,\d{3})+|\d+)\.\d+$"
COMMA = r"^[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+$"
MISREAD = r"\x{FFFD}|Ã[\x{80}-\x{BF}]|â€"  # UTF-8 read as Latin-1, or replaced because it could not be read
MOSTLY = 0.95
SOME = 0.005  # of the values, from which a second format is no slip


def _rows(look: Look, chosen: Array) -> Array:
    """(n,) rows whose text is one of the chosen distinct texts."""
    if not chosen.any():
        return np.zeros(look.rows, bool)
    texts = look.distinct[0]
    place = pc.index_in(look.known, texts.filter(pa.array(chosen)))
    return look.mask(np.asarray(pc.is_valid(place)))


def _matching(look: Look, pattern: str) -> Array:
    return np.asarray(pc.match_substring_regex(look.distinct[0], pattern), bool)


def words_for_nothing(look: Look) -> Iterator[Finding]:
    """Texts such as "n/a" where a null would say it."""
    if not look.is_text:
        return
    lowered = pc.utf8_lower(pc.utf8_trim_whitespace(look.distinct[0]))
    for words, severity in ((NOTHING, Severity.WARNING), (PERHAPS, Severity.NOTE)):
        for word in words:
            mask = _rows(look, np.asarray(pc.equal(lowered, word), bool))
            if mask.any() and look.supported(mask):
                sentence = f"{look.told(mask)} are {word or 'empty text'!r}: a placeholder for missing?"
                yield Finding(severity, (look.name,), "placeholder", sentence)


def blanks(look: Look) -> Iterator[Finding]:
    """Blanks at an end, which no eye sees and every comparison does."""
    if not look.is_text:
        return
    texts = look.distinct[0]
    padded = np.asarray(pc.not_equal(pc.utf8_trim_whitespace(texts), texts), bool)
    if padded.any():
        sentence = f"{look.told(_rows(look, padded)).capitalize()} begin or end with a blank."
        yield Finding(Severity.WARNING, (look.name,), "blanks", sentence)


def variants(look: Look) -> Iterator[Finding]:
    """Levels that differ in case or blanks only."""
    if not look.is_text or not isinstance(look.column, Categorical):
        return
    same = pc.utf8_lower(pc.replace_substring_regex(pc.utf8_trim_whitespace(look.distinct[0]), r"\s+", " "))
    counts = np.asarray(pc.value_counts(same).field("counts"))
    groups = int((counts > 1).sum())
    if groups:
        levels = "Two or more levels differ" if groups == 1 else f"{groups} groups of levels differ among themselves"
        yield Finding(Severity.WARNING, (look.name,), "variants", f"{levels} in case or blanks only.")


def formats(look: Look) -> Iterator[Finding]:
    """Dates and numbers in text, above all in more than one way."""
    if not look.is_text or isinstance(look.column, Identifier) or not len(look.known):
        return
    yield from _dates(look)
    yield from _numbers(look)


def _shares(look: Look, patterns: dict[str, str]) -> dict[str, float]:
    counts = look.distinct[1]
    return {name: float(counts[_matching(look, pattern)].sum() / counts.sum()) for name, pattern in patterns.items()}


def _dates(look: Look) -> Iterator[Finding]:
    found = {name: share for name, share in _shares(look, DATES).items() if share >= SOME}
    known = all(look.supported(_rows(look, _matching(look, DATES[name]))) for name in found)
    if sum(found.values()) < MOSTLY / 2 or not known:
        return
    if len(found) > 1:
        sentence = f"Dates are written in {len(found)} ways: like {' and like '.join(found)}."
        yield Finding(Severity.WARNING, (look.name,), "mixed formats", sentence)
    elif sum(found.values()) >= MOSTLY:
        sentence = f"Dates written like {next(iter(found))} are kept as text."
        yield Finding(Severity.NOTE, (look.name,), "dates as text", sentence)


def _numbers(look: Look) -> Iterator[Finding]:
    found = _shares(look, {"whole": WHOLE, "point": POINT, "comma": COMMA})
    if sum(found.values()) < MOSTLY or (isinstance(look.column, Categorical) and len(look.distinct[0]) <= 2):
        return
    if min(found["point"], found["comma"]) >= SOME:
        sentence = "Numbers are written with a decimal point and with a decimal comma."
        yield Finding(Severity.WARNING, (look.name,), "mixed formats", sentence)
    else:
        yield Finding(Severity.NOTE, (look.name,), "numbers as text", "Nearly all values are numbers kept as text.")


def encodings(look: Look) -> Iterator[Finding]:
    """Texts that were read in the wrong encoding."""
    if not look.is_text:
        return
    misread = _matching(look, MISREAD)
    if misread.any():
        sentence = f"{look.told(_rows(look, misread)).capitalize()} look as if read in the wrong encoding."
        yield Finding(Severity.WARNING, (look.name,), "encoding", sentence)


TEXTS: tuple[Callable[[Look], Iterator[Finding]], ...] = (words_for_nothing, blanks, variants, formats, encodings)
