"""Which columns hold somebody's data: by what the values look like, check digits included, and by their name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.schema.checkdigits import Array, luhn, mod97

LOOKED_AT = 1000  # distinct values: enough to know
SURE, LIKELY = 0.95, 0.8  # of them must look like it: without and with a name that says so
LEAST = 10  # distinct values
KEYS = ("email", "username", "phone", "iban", "credit_card", "ssn", "ip", "url")  # of which one person has its own
_WORD = r"[\p{Lu}][\p{L}'.-]*"
_PEOPLE = r"customer|client|patient|person|employee|contact|passenger|user|member|student|guest|owner|host|cardholder"
_FIRST = r"(?i)^(.*[_ .-])?(first|given|christian)[_ ]?names?$|^(fname|vorname|prenom|forename|firstname)$"
_LAST = r"(?i)^(.*[_ .-])?(last|family|sur)[_ ]?names?$|^(lname|nachname|surname|lastname)$"


@dataclass(frozen=True)
class Look:
    """How a category is known. name: what the column may be called; value: what values look like; proof: what else.

    told: whether the name must say so; repeats: whether columns of few common values count, too.
    """

    category: str
    name: str
    value: str
    told: bool
    repeats: bool = True
    proof: Callable[[pa.Array], Array] | None = None


def _letters_and_digits(texts: pa.Array, pattern: str) -> list[list[int]]:
    bare = pc.replace_substring_regex(texts, pattern, "").to_pylist()
    return [[int(sign, 36) for sign in text] for text in bare]


def _cards(texts: pa.Array) -> Array:
    numbers = _letters_and_digits(texts, "[ -]")
    return np.array([luhn(np.array([n[:-1]]))[0] == n[-1] for n in numbers], bool)


def _ibans(texts: pa.Array) -> Array:
    numbers = _letters_and_digits(texts, " ")
    found = [mod97(np.array([n[4:] + n[:2]]))[0] == n[2] * 10 + n[3] for n in numbers]
    return np.array(found, bool)


_OCTET = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
LOOKS = (
    Look("email", r"(?i)mail", r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$", told=False),
    Look("iban", r"(?i)iban|account", r"^[A-Z]{2}\d{2}( ?[0-9A-Z]){11,30}$", told=False, proof=_ibans),
    Look("credit_card", r"(?i)card|(^|_)(cc|pan)(_|$)", r"^(\d[ -]?){12,18}\d$", told=False, proof=_cards),
    Look("ssn", r"(?i)ssn|social", r"^\d{3}-\d{2}-\d{4}$", told=False),
    Look("ip", r"(?i)(^|_)ip", rf"^{_OCTET}(\.{_OCTET}){{3}}$", told=False, repeats=False),
    Look("url", r"(?i)url|web|link", r"^https?://\S+$", told=False, repeats=False),
    Look("phone", r"(?i)phone|mobile|(^|_)(tel|fax|cell|handy)", r"^\+?[\d(][\d ().\-/]{5,20}( ?(x|ext\.? ?)\d+)?$",
         told=True),
    Look("phone", "", r"^\+\d{1,3}[ \d().-]{6,18}$", told=False),
    Look("first_name", _FIRST, rf"^{_WORD}([ -]{_WORD})?$", told=True),
    Look("last_name", _LAST, rf"^(\p{{Ll}}+ )*{_WORD}([ -]{_WORD})*$", told=True),
    Look("name", rf"(?i)^(full|({_PEOPLE}))[_ ]?name$|^({_PEOPLE})$",
         rf"^{_WORD}(,? (\p{{Ll}}+ )*{_WORD})+$", told=True),
    Look("name", r"(?i)^names?$", rf"^{_WORD},( {_WORD})+.*$|^{_WORD} ({_WORD} )?{_WORD}$", told=True, repeats=False),
    Look("first_name", rf"(?i)^({_PEOPLE})[_ ]?name$", rf"^{_WORD}([ &+-].*)?$", told=True),
    Look("username", r"(?i)user[_ ]?name|login|nick[_ ]?name|handle", r"^@?[\w.-]{3,30}$", told=True, repeats=False),
    Look("address", r"(?i)address|(^|_)addr", r"\d.*,.*\p{L}|\p{L}.*,.*\d", told=True, repeats=False),
    Look("street", r"(?i)address|(^|_)addr|street", r"^\d+.*\p{L}|\p{L}.* \d+\w?$", told=True, repeats=False),
    Look("company", r"(?i)company|employer|organi[sz]ation|firm", r"\p{L}{2}", told=True, repeats=False),
    Look("city", r"(?i)(^|_)(city|town|municipality|ort)$", rf"^{_WORD}([ '-].*)?$", told=True, repeats=False),
)  # fmt: skip


@dataclass(frozen=True)
class Guess:
    """A category, and the locale where the values tell."""

    category: str
    locale: str = "en_US"


def personal_data(name: str, distinct: pa.Array, levels: bool) -> Guess | None:
    """What the distinct values (k,) of a text column are; ``levels``: whether they might be common ones."""
    if len(distinct) < LEAST:
        return None
    some = distinct.take(pa.array(np.linspace(0, len(distinct) - 1, min(len(distinct), LOOKED_AT)).astype(np.int64)))
    found = next((look for look in LOOKS if (look.repeats or not levels) and _is(look, name, some)), None)
    if found is None:
        return None
    return Guess(found.category, _locale(some) if found.category == "iban" else "en_US")


def _is(look: Look, name: str, some: pa.Array) -> bool:
    said = bool(look.name and re.search(look.name, name))
    if look.told and not said:
        return False
    fits = np.asarray(pc.fill_null(pc.match_substring_regex(some, look.value), False))
    least = LIKELY if said else SURE
    if fits.mean() < least:
        return False
    return look.proof is None or bool(look.proof(some.filter(pa.array(fits))).mean() >= SURE)


def _locale(ibans: pa.Array) -> str:
    """The country most accounts are in, where its language is called as it is."""
    counted = pc.value_counts(pc.utf8_slice_codeunits(ibans, 0, 2)).to_pylist()
    country = max(counted, key=lambda item: int(item["counts"]))["values"]
    languages = {
        "GB": "en",
        "AT": "de",
        "CH": "de",
        "DK": "da",
        "SE": "sv",
        "BE": "nl",
        "CZ": "cs",
        "GR": "el",
        "IE": "en",
    }
    return f"{languages.get(country, country.lower())}_{country}"
