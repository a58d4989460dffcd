"""Invented people: pools of names, streets and the like from Faker, one list for each locale, always the same."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from synthvae.errors import SchemaError

POOL = 2000  # values asked of Faker; digits in them are drawn anew for each row
FAMILY_FIRST = ("zh", "ja", "ko", "hu", "vi")
UNSPACED = ("zh", "ja", "ko")
# Names that RFC 2606 keeps free: no mail reaches anybody.
DOMAINS = ("example.com", "example.org", "example.net")


@lru_cache(maxsize=64)
def pool(locale: str, what: str) -> tuple[str, ...]:
    """Different values of one of Faker's providers, in the order of being made; SchemaError for an unknown locale."""
    from faker import Faker
    from faker.config import AVAILABLE_LOCALES

    if locale not in AVAILABLE_LOCALES:
        raise SchemaError(f"Expected a locale that Faker knows, such as 'en_US' or 'de_DE'. Received: {locale!r}")
    fake = Faker(locale)
    fake.seed_instance(0)
    make = getattr(fake, what, None) or getattr(fake, {"street_address": "address"}.get(what, "name"))
    values = (re.sub(r"\s*\n\s*", ", ", str(make())) for _ in range(POOL))
    return tuple(dict.fromkeys(values))


@lru_cache(maxsize=64)
def latin(locale: str, what: str) -> tuple[str, ...]:
    """The same names in lower-case ASCII, as addresses of the net have them; "user0" for those of other scripts."""
    return tuple(_ascii(name) or f"user{place}" for place, name in enumerate(pool(locale, what)))


def _ascii(name: str) -> str:
    spelled = name.lower().replace("ß", "ss").replace("æ", "ae").replace("ø", "o").replace("ł", "l")
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z]", "", plain)
