"""Does the synthetic table give away the people in the real one: copies, distances and attacks.

    copies.py      synthetic rows that equal a real one, by hash, on all rows
    distance.py    near copies, whose the nearest real row is (DCR), nearest by far (NNDR)
    membership.py  who was in the training table: the surest guesses, anybody, the strangest people
    singling.py    conditions that one real person alone meets; conditions.py reads them off a table
    linking.py     two halves of a record brought together
    guessing.py    a secret guessed from all the rest

    cast.py        who plays what: members, controls, stand-in     rows.py    tables as arrays in an order of their own
    space.py       one distance for all, nearest.py by it          shares.py  intervals, risks, scores

Attack and control are the same function on other people, a reference the same function on other rows. To add a metric:
a module with ``scores(sides)``, listed in ``PARTS``.
"""

from __future__ import annotations

from collections.abc import Iterator

from synthvae.evaluation.base import Score
from synthvae.evaluation.disclosure import copies, distance, guessing, linking, membership, singling
from synthvae.evaluation.disclosure.cast import forget
from synthvae.evaluation.sides import Sides

PARTS = (copies, distance, membership, singling, linking, guessing)


def scores(sides: Sides) -> Iterator[Score]:
    """Every score of the family; all but copies need a hold-out."""
    for part in PARTS:
        yield from part.scores(sides)
    forget(sides)
