"""How much time a fit may take, as one word: what the words mean for the length of a fit and the size of its networks.

Time grows with ``visits`` and, for all but narrow tables, with ``width`` ** 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from synthvae.errors import ParameterError


@dataclass(frozen=True)
class Effort:
    """Times as many rows seen, and times as wide trunks of the decoder, as by default."""

    visits: float
    width: float


EFFORTS = MappingProxyType({"fast": Effort(0.2, 0.75), "default": Effort(1.0, 1.0), "high": Effort(2.5, 1.25)})


def effort(name: str) -> Effort:
    """What a word means; ParameterError where there is no such word."""
    if name not in EFFORTS:
        raise ParameterError(f"effort must be one of {', '.join(map(repr, EFFORTS))}; got {name!r}.")
    return EFFORTS[name]
