"""The template of an identifier as a regular expression, or as the range of its whole numbers."""

from __future__ import annotations

import re

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_WHOLES = {"uuid": _UUID, "ulid": "[0-7][0-9A-HJKMNP-TV-Z]{25}", "check": "[0-9]"}
_CLASSES = {
    "digits": "[0-9]{%d}",
    "number": "[0-9]{1,%d}",  # as many digits as its largest has; the smaller ones have fewer
    "upper": "[A-Z]{%d}",
    "lower": "[a-z]{%d}",
    "hex": "[0-9a-f]{%d}",
    "HEX": "[0-9A-F]{%d}",
    "alnum": "[0-9A-Za-z]{%d}",
}
_PART = re.compile(r"\{\{|\}\}|\{(\w+)(?::(-?\d+|[a-z]+))?\}|[^{}]")
_WHOLE = re.compile(r"\{(sequence|number|digits)(?::(-?\d+))?\}")


def regex(template: str) -> str:
    """A regular expression, in the words Python and RE2 share, for all that the template may mint.

    >>> regex("K-{digits:4}")
    '^K-[0-9]{4}$'
    """
    return f"^{''.join(_part(found) for found in _PART.finditer(template))}$"


def _part(found: re.Match[str]) -> str:
    name, argument = found[1], found[2]
    if name is None:
        return re.sub(r"[\\^$.|?*+()\[\]{}]", r"\\\g<0>", found[0][0])
    if name in _WHOLES:
        return _WHOLES[name]
    return "-?[0-9]+" if name == "sequence" else _CLASSES[name] % int(argument)


def whole_range(template: str) -> tuple[int | None, int | None]:
    """The smallest and the largest number of a template of whole numbers; None where it sets no limit.

    >>> whole_range("{number:3}")
    (0, 999)
    """
    found = _WHOLE.fullmatch(template)
    if found is None:
        return None, None
    if found[1] == "sequence":
        return int(found[2] or 1), None
    return 0, 10 ** int(found[2]) - 1
