"""Who plays what in every attack: the same people for all of them, so that their figures can be set side by side.

The hold-out is cut in two. *Controls* are the people nobody trained on, of whom the attack must learn nothing; the
*stand-in* takes the place of the synthetic table when the same question is asked of real rows. People who are in the
training table as well are left out of the hold-out. Where rows belong to people, one row of each is asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from synthvae.evaluation.disclosure.rows import Rows, compared, levelled, rows_of
from synthvae.evaluation.disclosure.space import Space, space_of
from synthvae.evaluation.sides import Array, Sides

PEOPLE = 20  # fewer controls than these tell nothing


@dataclass(frozen=True, eq=False)
class Part:
    """Somebody's part: its rows, and those of them that can be looked through as points."""

    rows: Rows
    space: Space

    @cached_property
    def looked(self) -> Rows:
        """All rows, or as large a sample as can be looked through."""
        return self.rows.first(self.space.bearable)

    @cached_property
    def points(self) -> Array:
        """(n, d) of the rows that are looked through."""
        return self.space.points(self.looked)

    def asked(self, people: int) -> Rows:
        """One row each of at most so many people."""
        return self.rows.people.first(people)


@dataclass(frozen=True, eq=False)
class Cast:
    """Who plays what; real: all training rows."""

    real: Part
    synthetic: Part
    controls: Part
    standin: Part
    space: Space

    @cached_property
    def people(self) -> int:
        """How many people of a kind an attack is tried on."""
        return self.space.affordable(max(len(self.real.looked), len(self.synthetic.looked)))

    @cached_property
    def members(self) -> Rows:
        """Training people, as many as there are controls to ask and never more than half of all."""
        wanted = min(self.people, len(self.controls.rows.people), len(self.real.rows.people) // 2)
        return self.real.asked(wanted)

    def targets(self, people: int) -> tuple[Rows, Rows]:
        """As many members as controls."""
        people = min(people, len(self.members))
        return self.members.first(people), self.controls.asked(people)


def forget(sides: Sides) -> None:
    """Give back what only this family keeps: as much memory as the tables again."""
    for name in ("cast", "rows by content", "row keys"):
        sides.shared.pop(name, None)


def cast_of(sides: Sides) -> Cast | str:
    """The cast, or why there is none."""
    return sides.once("cast", lambda: _cast(sides))


def _cast(sides: Sides) -> Cast | str:
    why = _obstacle(sides)
    if why:
        return why
    rows = rows_of(sides)
    held = rows["hold-out"].of(rows["real"].owner, wanted=False)
    first, second = _halves(held)
    for name, part in {"real": rows["real"], "synthetic": rows["synthetic"], "hold-out": held}.items():
        needed = PEOPLE if name == "synthetic" else 2 * PEOPLE
        if len(part.people) < needed:
            return f"the {name} table holds fewer than {needed} {_unit(sides, name)}"
    space = space_of(rows, levelled(sides), sides.rng("space"))
    real, synthetic, controls, standin = (
        Part(part, space) for part in (rows["real"], rows["synthetic"], first, second)
    )
    return Cast(real, synthetic, controls, standin, space)


def _obstacle(sides: Sides) -> str:
    if sides.holdout is None:
        return "there is no hold-out to set it beside"
    return "" if compared(sides) else "there is no column whose values are learned"


def _unit(sides: Sides, name: str) -> str:
    if sides.group is None:
        return "rows"
    return "people who are not in the real table" if name == "hold-out" else "people"


def _halves(rows: Rows) -> tuple[Rows, Rows]:
    """The rows of one half of the people, and those of the other."""
    people = rows.people.owner
    half: Array = np.isin(rows.owner, people[: (len(people) + 1) // 2])
    return rows.at(half), rows.at(~half)
