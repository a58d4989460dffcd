"""What is promised to the people in a table, in words for whoever has to answer for it."""

from __future__ import annotations

from typing import Any

# Of a fit without a budget.
PROTECTIONS = (
    "This is not differential privacy: no budget was given, and nothing is proven about what the model tells.",
    "Levels and numbers that fewer than {min_count} rows share are not written down, nor drawn.",
    "Extremes are rounded outward, and drawn values stay within them.",
    "Identifiers and recognised personal data are never learned but minted afresh.",
    "Of free text the length alone is learned, and its content becomes filler, unless the schema asks for characters.",
)


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
    lines += [f"Paid: {payment(line)}" for line in facts["payments"]]
    return lines + [f"Assumed: {text}" for text in facts["assumptions"]]


def payment(line: dict[str, Any]) -> str:
    """One payment as a line."""
    delta = f", delta {line['delta']:.1e}" if line["delta"] else ""
    sampled = f", each row with probability {line['rate']:.4f}" if line["rate"] < 1 else ""
    noise = f"noise {line['sigma']:.4g} for a sensitivity of {line['sensitivity']:.4g}"
    return f"{line['what']}: {line['mechanism']}, {noise}{sampled}; alone epsilon {line['epsilon_alone']:.3f}{delta}"
