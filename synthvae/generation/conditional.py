"""Rows under conditions: from wishes to a pool of starting points, and what to say where there are none.

A condition that many rows meet anyway is met by drawing a row anew until it does: each row is then drawn in the order
the decoder knows best, and follows the model exactly. Any other is met by a pool, whose rows cost the same however rare
they are; there the conditioned cells are known first, and ``lead`` mends what that order lacks.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from synthvae.codecs import asked
from synthvae.errors import ConditionError, SynthvaeWarning
from synthvae.generation import pool
from synthvae.generation.lead import started
from synthvae.generation.stream import Completer, RowStream
from synthvae.schema.conditions import Wish

log = logging.getLogger("synthvae")
OFTEN = 0.2  # a condition of this probability costs at most five draws a row
FEW = 100.0  # a smaller effective sample size than this repeats itself visibly


@dataclass(frozen=True)
class Odds:
    """How likely conditions are under the model.

    probability: of all of them together; effective: the effective sample size of the latents that stand behind rows
    drawn under them (rows share their latents where it is small); alone: the probability of each by itself.
    """

    probability: float
    effective: float
    alone: dict[str, float]

    def __str__(self) -> str:
        return f"The model meets the conditions with probability {self.probability:.3g}; " + (
            f"{self.effective:,.0f} effective latents stand behind the rows."
        )


def conditioned(completer: Completer, wishes: Mapping[str, Wish], seed: int) -> RowStream:
    """Rows that meet every wish; ConditionError where the model knows none."""
    codec = completer.codec
    told, checked = asked.split(codec, wishes)
    if not told:
        return RowStream(completer, lawful=asked.lawful(codec, checked))
    found = pooled(completer, told, seed)
    log.info("%s", Odds(found.probability, found.effective, {}))
    if found.probability >= OFTEN:
        return RowStream(completer, lawful=asked.lawful(codec, wishes))
    if found.effective < FEW:
        warnings.warn(
            f"Only {found.effective:.0f} effective latents meet the conditions (probability {found.probability:.2g}): "
            "rows beyond that many are variations of one another.",
            SynthvaeWarning,
            stacklevel=5,
        )
    return RowStream(completer, started(completer, [found], np.ones(1)), told, asked.lawful(codec, checked))


def odds(completer: Completer, wishes: Mapping[str, Wish], seed: int) -> Odds:
    """The probability of the wishes, together and each alone."""
    told, _ = asked.split(completer.codec, wishes)
    if checked := [name for name in wishes if name not in told]:
        raise ConditionError(
            f"Columns {', '.join(map(repr, checked))} follow from others by the schema's rules: rows under conditions "
            "on them are drawn until they meet them, so their probability is not known beforehand. Leave them out."
        )
    together = pooled(completer, wishes, seed)
    each = wishes.items() if len(wishes) > 1 else ()
    alone = {name: pooled(completer, {name: wish}, seed).probability for name, wish in each}
    alone = alone or dict.fromkeys(wishes, together.probability)
    return Odds(together.probability, together.effective, alone)


def pooled(completer: Completer, wishes: Mapping[str, Wish], seed: int) -> pool.Pool:
    """The pool of all wishes together; ConditionError says which of them are at fault."""
    allowed = asked.allowed(completer.codec, wishes)
    try:
        return pool.build(completer.vae, allowed, completer.shifts, seed)
    except ConditionError:
        raise ConditionError(
            "The model never saw rows that meet all conditions together. Each by itself:",
            list(_apart(completer, wishes, seed)),
        ) from None


def _apart(completer: Completer, wishes: Mapping[str, Wish], seed: int) -> Iterable[str]:
    for name, wish in wishes.items():
        try:
            found = pool.build(completer.vae, asked.allowed(completer.codec, {name: wish}), completer.shifts, seed)
            yield f"column {name!r}: probability {found.probability:.2g}"
        except ConditionError:
            yield f"column {name!r}: never"
