"""The template of a key: the literal text all its values share and the class of every other character."""

from __future__ import annotations

import re
from itertools import groupby

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.schema.checkdigits import SCHEMES, Array

MIN_CHECKED = 8  # digits, and keys: fewer agree by chance
DENSE = 1e-4  # of the numbers of so many digits are keys of the table: among as many minted ones few would be, too
MAX_LENGTH = 64  # longer values are text that happens to be equally long
_ULID = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$"
_UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
# From the narrowest class to the widest; a run of characters takes the first that holds all of it.
_CLASSES: dict[str, str] = {
    "digits": "0123456789",
    "upper": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "lower": "abcdefghijklmnopqrstuvwxyz",
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "alnum": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
}


def text_template(values: pa.ChunkedArray) -> str | None:
    """The template of distinct strings (n, large_string), or None where they have no shape in common."""
    if not pc.all(pc.string_is_ascii(values)).as_py():
        return None
    if pc.all(pc.match_substring_regex(values, _UUID)).as_py():
        return "{uuid}"
    if pc.all(pc.match_substring_regex(values, _ULID)).as_py():
        return "{ulid}"
    lengths = pc.min_max(pc.binary_length(values)).as_py()
    if lengths["min"] == lengths["max"] and 0 < lengths["max"] <= MAX_LENGTH:
        characters = _characters(values, lengths["max"])
        return _checked(_fixed(characters), characters)
    return _numbered(values)


def number_template(values: Array, most_digits: int = 18) -> str | None:
    """The template of distinct whole numbers (n,) int64: counted up where they are, else of as many digits.

    Keys that fill more of their numbers than DENSE get a digit more, up to ``most_digits``, of which every number is
    one of the type's: a minted key should not be one of the table's, and of a longer number none can be.
    """
    low, high = int(values.min()), int(values.max())
    if low in (0, 1) and high - low == values.size - 1:
        return f"{{sequence:{low}}}"
    if low < 0:
        return None
    length, digits = len(str(low)), len(str(high))
    if length == digits:
        places = 10 ** np.arange(length)[::-1]
        template = f"{{number:{digits}}}"
        checked = _checked(template, (values[:, None] // places % 10 + ord("0")).astype(np.uint8))
        if checked != template:
            return checked
    if digits > most_digits:  # not every number of so many digits is one
        return "{sequence:1}" if low else "{sequence:0}"
    dense = values.size > DENSE * 10**digits and digits < most_digits
    return f"{{number:{digits + dense}}}"


def _characters(values: pa.ChunkedArray, length: int) -> Array:
    """(n, length) the ASCII codes of equally long strings."""
    array = values.combine_chunks()
    _, offsets, data = array.buffers()
    start = np.frombuffer(offsets, np.int64)[array.offset]
    return np.frombuffer(data, np.uint8)[start : start + len(array) * length].reshape(len(array), length)


def _checked(template: str | None, characters: Array) -> str | None:
    """The template with a check digit at its end where the last of the characters (n, length) is one in every row."""
    found = template and re.fullmatch(r"(.*)\{(digits|number):(\d+)\}", template)
    digits = ((characters >= ord("0")) & (characters <= ord("9"))).all(axis=0)
    if not found or digits.sum() < MIN_CHECKED or len(characters) < MIN_CHECKED:
        return template
    numbers = characters[:, digits].astype(np.int64) - ord("0")
    for scheme, digit in SCHEMES.items():
        if (digit(numbers[:, :-1]) == numbers[:, -1]).all():
            rest = f"{{{found[2]}:{int(found[3]) - 1}}}" if found[3] != "1" else ""
            return f"{found[1]}{rest}{{check:{scheme}}}"
    return template


def _fixed(characters: Array) -> str | None:
    seen = ["".join(map(chr, np.unique(column))) for column in characters.T]
    varies = [len(found) > 1 for found in seen]
    # a digit that happens to be constant beside varying ones is part of the number, such as a leading zero
    for places in (range(1, len(seen)), range(len(seen) - 2, -1, -1)):
        back = -1 if places.step > 0 else 1
        for place in places:
            varies[place] = varies[place] or (varies[place + back] and seen[place].isdigit())
    parts = []
    for varying, run in groupby(zip(varies, seen, strict=True), key=lambda pair: pair[0]):
        characters_of_run = [found for _, found in run]
        part = _segments(characters_of_run) if varying else escape("".join(characters_of_run))
        if part is None:
            return None
        parts.append(part)
    return "".join(parts)


def _segments(run: list[str]) -> str | None:
    """Placeholders for neighbouring positions: each its own class, or one class for all where any of them is mixed."""
    classes = [_class_of(found) for found in run]
    if any(name in ("hex", "HEX", "alnum", None) for name in classes):
        whole = _class_of("".join(run))
        return None if whole is None else f"{{{whole}:{len(run)}}}"
    return "".join(f"{{{name}:{len(list(same))}}}" for name, same in groupby(classes))


def _class_of(characters: str) -> str | None:
    return next((name for name, members in _CLASSES.items() if set(characters) <= set(members)), None)


def _numbered(values: pa.ChunkedArray) -> str | None:
    """A shared prefix and a number of varying length."""
    bounds = pc.min_max(values).as_py()
    same = [a == b for a, b in zip(bounds["min"], bounds["max"], strict=False)]
    # what the first and the last in order share, all share; digits at its end belong to the number
    prefix = re.sub(r"\d+$", "", bounds["min"][: [*same, False].index(False)])
    rest = pc.utf8_slice_codeunits(values, len(prefix))
    if len(prefix) > MAX_LENGTH or not pc.all(pc.match_substring_regex(rest, "^(0|[1-9][0-9]{0,17})$")).as_py():
        return None
    template = number_template(rest.cast(pa.int64()).to_numpy())
    return None if template is None else escape(prefix) + template


def escape(text: str) -> str:
    """Literal text of a template."""
    return text.replace("{", "{{").replace("}", "}}")
