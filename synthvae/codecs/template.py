"""The language of identifiers: literal text, characters drawn from an alphabet, and running numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod

from synthvae.errors import SchemaError
from synthvae.schema.checkdigits import SCHEMES

DIGITS, HEX = "0123456789", "0123456789abcdef"
LOWER = "abcdefghijklmnopqrstuvwxyz"
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # of a ULID, which begins with 01 until the year 2039
ALPHABETS = {
    "digits": DIGITS,
    "upper": LOWER.upper(),
    "lower": LOWER,
    "hex": HEX,
    "HEX": HEX.upper(),
    "alnum": DIGITS + LOWER.upper() + LOWER,
}
# The largest space that is permuted as a whole; characters beyond it are hashed.
LARGEST_SPACE = 2**62
PIECE = re.compile(r"\{\{|\}\}|\{(?P<name>[A-Za-z]+)(?::(?P<size>-?\d+|[a-z]+))?\}|(?P<stray>[{}])|[^{}]+")
WORDS = "{sequence:START}, {number:N}, {uuid}, {ulid}, {check:luhn}, {check:ean}, " + ", ".join(
    f"{{{name}:N}}" for name in ALPHABETS
)


@dataclass(frozen=True)
class Literal:
    """Text that stands in every identifier."""

    text: str


@dataclass(frozen=True)
class Letter:
    """One character out of an alphabet."""

    alphabet: str


@dataclass(frozen=True)
class Sequence:
    """start, start + 1, ... by row."""

    start: int


@dataclass(frozen=True)
class Check:
    """A digit that all digits before it determine; ``scheme`` says how."""

    scheme: str


Part = Literal | Letter | Sequence | Check


@dataclass(frozen=True)
class Template:
    """A parsed template, as parts in order."""

    parts: tuple[Part, ...]

    @property
    def letters(self) -> tuple[Letter, ...]:
        """Its characters to be drawn."""
        return tuple(part for part in self.parts if isinstance(part, Letter))

    @property
    def leading(self) -> int:
        """How many of the letters make up the space that is permuted: as many as fit into 2^62."""
        sizes = [len(letter.alphabet) for letter in self.letters]
        return max(k for k in range(len(sizes) + 1) if prod(sizes[:k]) <= LARGEST_SPACE)

    @property
    def space(self) -> int:
        """The number of different leading parts."""
        return prod(len(letter.alphabet) for letter in self.letters[: self.leading])

    @property
    def counts(self) -> bool:
        """Whether a sequence makes every identifier unique."""
        return any(isinstance(part, Sequence) for part in self.parts)


def parse_template(text: str, column: str) -> Template:
    """Template text -> parts; SchemaError says what the placeholders are."""
    parts: list[Part] = []
    problems = []
    for match in PIECE.finditer(text):
        if match["name"] is not None:
            placed = _placeholder(match["name"], match["size"])
            parts += placed
            problems += [] if placed else [f"{match.group()} is not a placeholder"]
        elif match["stray"] is not None:
            problems.append(f"a single {match['stray']} at position {match.start()}; write it twice to mean a brace")
        else:
            parts.append(Literal(match.group().replace("{{", "{").replace("}}", "}")))
    if parts and isinstance(parts[0], Check):
        problems.append("a check digit at the beginning, where there is nothing to check")
    if problems:
        raise SchemaError(f"Column {column!r}: expected an identifier template out of text and {WORDS}.", problems)
    return Template(tuple(parts))


def _placeholder(name: str, size: str | None) -> list[Part]:
    """The parts of a placeholder; none where there is no such placeholder."""
    if name == "uuid" and size is None:
        return _uuid()
    if name == "sequence":
        return [] if size is not None and size.isalpha() else [Sequence(1 if size is None else int(size))]
    if name == "check" and size in SCHEMES:
        return [Check(str(size))]
    if name == "ulid" and size is None:
        return [Literal("01"), *[Letter(CROCKFORD)] * 24]
    count = int(size) if size is not None and size.isdigit() else 0
    if count < 1:
        return []
    if name == "number":
        return [Letter(DIGITS[1:]), *[Letter(DIGITS)] * (count - 1)]
    return [Letter(ALPHABETS[name])] * count if name in ALPHABETS else []


def _uuid() -> list[Part]:
    """RFC 9562, version 4: 122 free bits."""
    layout = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx"
    free = {"x": Letter(HEX), "y": Letter("89ab")}
    return [free.get(sign, Literal(sign)) for sign in layout]
