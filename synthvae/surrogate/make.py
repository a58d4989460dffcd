"""Rows and a schema from paid counts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from synthvae.privacy.private_table import PrivateTable
from synthvae.schema.columns import Boolean, Categorical, Column, Datetime, Identifier, Numeric, Personal, Text
from synthvae.surrogate import levels, presence
from synthvae.surrogate.allotment import Allotment
from synthvae.surrogate.axis import LOOKS, AxisDomain
from synthvae.surrogate.coarse import coarse
from synthvae.surrogate.domains import Domain
from synthvae.surrogate.draw import drawn
from synthvae.surrogate.levels import LevelsDomain
from synthvae.surrogate.margins import cells_of_column, measured
from synthvae.surrogate.presence import PresenceDomain

LEARN: dict[type[Column], type[AxisDomain] | type[LevelsDomain] | type[PresenceDomain]] = {
    Numeric: AxisDomain,
    Datetime: AxisDomain,
    Categorical: LevelsDomain,
    Boolean: LevelsDomain,
    Identifier: PresenceDomain,
    Personal: PresenceDomain,
    Text: PresenceDomain,
}
WEIGHTS = {AxisDomain: LOOKS, LevelsDomain: levels.LOOKS, PresenceDomain: presence.LOOKS}
FEWEST, MOST = 400, 100_000  # rows made


@dataclass(frozen=True, eq=False)
class Surrogate:
    """columns: with the bounds and levels that were paid for; table: rows that obey them; rows: about how many real
    ones there are."""

    columns: tuple[Column, ...]
    table: pa.Table
    rows: float


def weights(columns: Sequence[Column]) -> tuple[float, ...]:
    """What share of the budget of one-way counts each column needs."""
    return tuple(WEIGHTS[LEARN[type(column)]] for column in columns)


def surrogate(
    private: PrivateTable, columns: Sequence[Column], rows: float, allotment: Allotment, rng: np.random.Generator
) -> Surrogate:
    """Count, then draw rows like those counted; rows: about how many there are; rng: of the drawing, which is free."""
    learned: list[Domain] = [LEARN[type(column)].learn(column, private, rows, allotment) for column in columns]
    most = cells_of_column(rows, len(columns), allotment)
    cells = [coarse(domain, most) for domain in learned]
    margins = measured(cells, private, rows, allotment)
    count = int(np.clip(round(rows), FEWEST, MOST))
    made = drawn(cells, margins, count, rng)
    arrays = [one.draw(made[:, place], rng) for place, one in enumerate(cells)]
    named = tuple(domain.column for domain in learned)
    return Surrogate(named, pa.table(arrays, names=[column.name for column in named]), rows)
