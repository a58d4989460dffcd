"""What a column means: one frozen dataclass per kind.

A kind says what values may be; it knows nothing about tokens or networks. To add one: write the dataclass here and
list it in ``KINDS``, say in ``rules.py`` when it is guessed, and write its codec.
"""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Scale(StrEnum):
    """What a metric may do with a column's values."""

    NOMINAL = "nominal"  # equal or not
    ORDINAL = "ordinal"  # and before or after
    CONTINUOUS = "continuous"  # and so far apart
    OPAQUE = "opaque"  # nothing: minted or placeholder values


@dataclass(frozen=True, kw_only=True)
class Column(ABC):
    """What every column has.

    ``arrow`` is the Arrow type as text ("int64", "timestamp[us, tz=UTC]"), ``pandas`` the pandas dtype it came with
    (None where the table was not pandas). ``open_share`` is the share of non-null rows whose value the schema does not
    write down (beyond ``lower``/``upper``, a level too rare); None closes the column: any other value is an error.
    """

    kind: ClassVar[str]
    name: str
    arrow: str
    pandas: str | None = None
    nullable: bool = False
    open_share: float | None = None

    @property
    def scale(self) -> Scale:
        return Scale.OPAQUE


@dataclass(frozen=True, kw_only=True)
class Numeric(Column):
    """A quantity. ``decimals`` is the grid its values lie on: 0 whole numbers, 2 cents, -3 thousands, None no grid.

    Durations are quantities in the unit of their Arrow type. Numbers that are written as text have a ``format``, what
    Python's ``str.format`` makes of them (``{:d}``, ``{:.2f}``, ``${:,.2f}``, ``{:.1f}%``, ``{}``), and perhaps a
    ``marker``, the text that stands where no number is known ("?").
    """

    kind: ClassVar[str] = "numeric"
    lower: int | float | None = None
    upper: int | float | None = None
    decimals: int | None = None
    format: str | None = None
    marker: str | None = None

    @property
    def scale(self) -> Scale:
        return Scale.CONTINUOUS


@dataclass(frozen=True, kw_only=True)
class Categorical(Column):
    """One of ``levels`` (strings, integers or floats), in their order where ``ordered``. No levels: always null."""

    kind: ClassVar[str] = "categorical"
    levels: tuple[str | int | float, ...] = ()
    ordered: bool = False

    @property
    def scale(self) -> Scale:
        return Scale.ORDINAL if self.ordered else Scale.NOMINAL


@dataclass(frozen=True, kw_only=True)
class Boolean(Column):
    """True or False."""

    kind: ClassVar[str] = "boolean"

    @property
    def scale(self) -> Scale:
        return Scale.NOMINAL


@dataclass(frozen=True, kw_only=True)
class Datetime(Column):
    """A date, an instant or a time of day on a grid of ``resolution`` (D, h, min, s, ms, us, ns).

    ``lower`` and ``upper`` are ISO 8601 text; ``time_zone`` is the zone the column carries (an IANA name, an offset,
    or None for a plain date or wall-clock time). Moments that are written as text have a ``format`` in the language of
    ``strptime`` (besides, ``%3f`` are milliseconds and ``%-d``, ``%-m``, ``%-H``, ``%-I`` have no leading zero), and
    perhaps a ``marker``, the text that stands where none is known.
    """

    kind: ClassVar[str] = "datetime"
    lower: str | None = None
    upper: str | None = None
    resolution: str = "ns"
    time_zone: str | None = None
    format: str | None = None
    marker: str | None = None

    @property
    def scale(self) -> Scale:
        return Scale.CONTINUOUS


@dataclass(frozen=True, kw_only=True)
class Identifier(Column):
    """A key: never learned, minted afresh by ``template``.

    ``repeats`` is the share of rows that name something an earlier row has named already (0: every row has a key of
    its own). Literal text with placeholders: ``{sequence:START}`` counts up, ``{digits:N}``, ``{number:N}`` (N digits,
    the first not zero), ``{upper:N}``, ``{lower:N}``, ``{hex:N}``, ``{HEX:N}``, ``{alnum:N}``, ``{uuid}``,
    ``{ulid}``, and ``{check:luhn}`` or ``{check:ean}``, the check digit of all digits before it; ``{{`` and ``}}`` are
    braces.
    """

    kind: ClassVar[str] = "identifier"
    template: str = "{sequence:1}"
    repeats: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Text(Column):
    """Free text: its null rate and length are learned, its content is not.

    content: what stands in its place, "filler" or "characters", which look like the table's (their frequencies are
    learned, each shared by ``min_count`` texts) and repeat none of its texts.
    """

    kind: ClassVar[str] = "text"
    content: str = "filler"
    min_length: int = 0
    max_length: int = 0


@dataclass(frozen=True, kw_only=True)
class Personal(Column):
    """Somebody's data: never learned but for its gaps, minted afresh.

    ``category`` says what it is (``CATEGORIES``), ``locale`` how it looks ("de_DE"). The columns of one row belong to
    one invented person. ``unique``: no value comes twice.
    """

    kind: ClassVar[str] = "personal"
    category: str = "name"
    locale: str = "en_US"
    unique: bool = False


CATEGORIES = ("name", "first_name", "last_name", "email", "username", "phone", "address", "street", "city", "company",
              "iban", "credit_card", "ssn", "ip", "url")  # fmt: skip
CONTENTS = ("filler", "characters")
KINDS: dict[str, type[Column]] = {
    cls.kind: cls for cls in (Numeric, Categorical, Boolean, Datetime, Identifier, Text, Personal)
}
