"""How much time a fit may take, as one word: what the words mean for the length of a fit and the size of its networks.

Time grows with ``visits`` and, for all but narrow tables, with ``width`` ** 2. In the same time a narrower trunk that
sees more rows does better than a wider one that sees fewer: boosted detection of Adult, Default and Shoppers 1.00, .79
and 1.00 at a width of .75, .99, .77 and .96 at 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from synthvae.errors import ParameterError


@dataclass(frozen=True)
class Effort:
    """Times as many rows seen as ``schedules.plan`` says, and times as wide trunks of the decoder as
    ``NetworkConfig.suited``."""

    visits: float
    width: float


EFFORTS = MappingProxyType({"fast": Effort(0.32, 0.75), "default": Effort(1.6, 0.75), "high": Effort(2.5, 1.25)})


def effort(name: str) -> Effort:
    """What a word means; ParameterError where there is no such word."""
    if name not in EFFORTS:
        raise ParameterError(f"effort must be one of {', '.join(map(repr, EFFORTS))}; got {name!r}.")
    return EFFORTS[name]
