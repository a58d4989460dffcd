"""Names, numbers and bins as text that is safe to show and pleasant to read."""

from __future__ import annotations

import re
import unicodedata
from functools import singledispatch

from synthvae.evaluation.base import Score, Status
from synthvae.schema.columns import Boolean, Categorical, Column, Datetime, Identifier, Numeric, Personal, Text

BY = "\u00d7"  # between the columns of a pair
NOTHING = "\u2013"  # where there is no number
MAX_NAME = 160  # characters of a name that are shown; longer ones say how long they are
INVISIBLE = {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}  # would hide, reorder or break the text around them
JOINERS = "\u200c\u200d"  # belong to Persian and Indic words and to emoji
MAX_LEVELS = 12  # named in the schema's table


def shown(name: object) -> str:
    r"""A name as visible text: invisible and direction-changing characters as their code, at most 160 characters.

    >>> shown("a\u202eb\n")
    'a\\u202eb\\u000a'
    """
    text = str(name)
    clear = cleared(text[:MAX_NAME]) + (f"… ({len(text)} characters)" if len(text) > MAX_NAME else "")
    return clear if clear.strip() else f"“{clear}”"


def cleared(text: str) -> str:
    """A text of any length without characters that would hide, reorder or break the text around them."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if visible(text, place, c) else f"\\u{ord(c):04x}" for place, c in enumerate(text))


def visible(text: str, place: int, character: str) -> bool:
    """Whether a character shows itself; joiners do where both neighbours are beyond ASCII."""
    if character in JOINERS:
        around = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
        return len(around) == 2 and not re.search(r"[\x00-\x7f]", around)
    return unicodedata.category(character) not in INVISIBLE


def wide(text: str) -> float:
    """About how many pixels a text takes in a chart."""
    return sum(pixels(character) for character in text)


def pixels(character: str) -> float:
    """About how wide a character is at 11 pixels: rather too wide than too narrow."""
    if unicodedata.combining(character) or character in JOINERS or unicodedata.category(character) in ("Mn", "Me"):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 13.0
    if character in "ijltf.,:;|'! ()[]I":
        return 3.6
    return 8.6 if character in "mwMW@%" or character.isupper() else 6.3


def fitted(text: str, room: float) -> str:
    """A text cut to about ``room`` pixels; never inside an emoji or before a combining mark."""
    if wide(text) <= room:
        return text
    used, kept = pixels("…") + 2, 0
    for place, character in enumerate(text):
        used += pixels(character)
        if used > room:
            break
        kept = place + 1
    while kept and (pixels(text[kept]) == 0 or text[kept - 1] in JOINERS):
        kept -= 1
    return text[:kept] + "…"


def number(value: float | None) -> str:
    """A score in three decimals, in more where it is nearly nothing, in none where it is large.

    >>> number(0.98765), number(0.00042), number(0.0), number(12345.6)
    ('0.988', '0.00042', '0.000', '12,346')
    """
    if value is None:
        return NOTHING
    if 0 < abs(value) < 0.001:
        return f"{value:.5f}".rstrip("0").rstrip(".") if abs(value) >= 1e-5 else "< 0.00001"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"


def interval(score: Score) -> str:
    """The ends of a score's interval, or nothing."""
    if score.low is None or score.high is None:
        return ""
    return f"{number(score.low)} to {number(score.high)}"


def share(value: float) -> str:
    """A share as a percentage: more digits where it is small.

    >>> share(0.5), share(0.0312), share(0.0004), share(0.0)
    ('50 %', '3.1 %', '0.04 %', '0 %')
    """
    percent = 100 * value
    if percent == 0:
        return "0 %"
    digits = 0 if percent >= 9.95 else 1 if percent >= 0.995 else 2
    return f"{percent:.{digits}f} %" if percent >= 0.005 else "< 0.01 %"


def tick(value: float) -> str:
    """A share as the label of an axis.

    >>> tick(0.075), tick(0.1)
    ('7.5 %', '10 %')
    """
    return f"{100 * value:.4g} %"


def count(value: object) -> str:
    """A count of rows."""
    return f"{value:,}" if isinstance(value, int) else NOTHING


def in_words(score: Score) -> str:
    """What a score's place beside its reference means, for somebody who is no statistician."""
    if score.status is Status.NOT_APPLICABLE:
        return f"Because {score.note}." if score.note else ""
    best = "as many real rows would be" if score.floor else "the best possible"
    goal = best if score.reference is None else "the hold-out"
    gap = score.gap or 0.0
    said = {
        Status.GOOD: f"As good as {goal}, or close to it."
        if gap <= score.metric.fair
        else f"Below {goal}, but not beyond chance.",
        Status.FAIR: f"A little worse than {goal}, beyond chance.",
        Status.POOR: f"Clearly worse than {goal}.",
    }
    return said[score.status]


# --- the schema -------------------------------------------------------------------------------------------------------


@singledispatch
def described(column: Column) -> str:
    """What a column may hold, in a few words."""
    return ""


@described.register
def _(column: Numeric) -> str:
    ends = "any number" if column.lower is None and column.upper is None else f"{column.lower} to {column.upper}"
    return ends if column.decimals is None else f"{ends}, {column.decimals} decimals"


@described.register
def _(column: Categorical) -> str:
    named = ", ".join(shown(level) for level in column.levels[:MAX_LEVELS])
    more = f", and {len(column.levels) - MAX_LEVELS} more" if len(column.levels) > MAX_LEVELS else ""
    order = " in order" if column.ordered else ""
    return f"{len(column.levels)} levels{order}: {named}{more}"


@described.register
def _(column: Boolean) -> str:
    return "true or false"


@described.register
def _(column: Datetime) -> str:
    zone = f", {column.time_zone}" if column.time_zone else ""
    return f"{column.lower} to {column.upper}{zone}"


@described.register
def _(column: Identifier) -> str:
    return f"unique, minted as {shown(column.template)}"


@described.register
def _(column: Personal) -> str:
    return f"personal data ({column.category.replace('_', ' ')}), minted and never shown"


@described.register
def _(column: Text) -> str:
    return f"free text of {column.min_length} to {column.max_length} characters; its content is never shown"
