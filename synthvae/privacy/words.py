"""What is promised to the people in a table, in words for whoever has to answer for it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from typing import Any

# Of a fit without a budget.
PROTECTIONS = (
    "This is not differential privacy: no budget was given, and nothing is proven about what the model tells.",
    "Levels and numbers that fewer than {min_count} rows share are not written down, nor drawn.",
    "Extremes are rounded outward, and drawn values stay within them.",
    "Identifiers and recognised personal data are never learned but minted afresh.",
    "Of free text the length alone is learned, and its content becomes filler, unless the schema asks for characters.",
)


_LOOK = re.compile(r", look \d+ of \d+$")


def protections(min_count: int) -> dict[str, Any]:
    """What the card of a fit without a budget says in the place of a ledger."""
    return {"promise": None, "protections": [text.format(min_count=min_count) for text in PROTECTIONS]}


def told(facts: dict[str, Any]) -> list[str]:
    """A ledger's or a default's facts as lines."""
    if facts.get("promise") is None:
        return list(facts.get("protections", ()))
    lines = [
        f"Differential privacy: {facts['promise']}.",
        f"Spent: epsilon {facts['spent_epsilon']:.3f} of {facts['epsilon']:g}.",
        f"Whatever is known besides, whether {facts.get('subject', 'a row')} is in the table changes the odds of any "
        f"conclusion from the model by a factor of at most e^{facts['epsilon']:g}, but for a chance of "
        f"{facts['delta']:g}.",
    ]
    if facts["testing"]:
        lines.insert(0, "FOR TESTING: the noise came from a seed, so it can be taken away again. Nothing is promised.")
    lines += [f"Paid: {text}" for text in payments(facts["payments"])]
    return lines + [f"Assumed: {text}" for text in facts["assumptions"]]


def payments(lines: Iterable[dict[str, Any]]) -> list[str]:
    """One line a payment; looks that follow one another and cost the same are told together."""
    told_ = []
    for _, alike in groupby(lines, lambda line: {**line, "what": _LOOK.sub("", line["what"])}):
        first, *more = alike
        what = _LOOK.sub(f", each of {1 + len(more)} looks", first["what"]) if more else first["what"]
        told_.append(_payment(first | {"what": what}))
    return told_


def _payment(line: dict[str, Any]) -> str:
    delta = f", delta {line['delta']:.1e}" if line["delta"] else ""
    sampled = f", each row with probability {line['rate']:.4f}" if line["rate"] < 1 else ""
    noise = f"noise {line['sigma']:.4g} for a sensitivity of {line['sensitivity']:.4g}"
    return f"{line['what']}: {line['mechanism']}, {noise}{sampled}; alone epsilon {line['epsilon_alone']:.3f}{delta}"
