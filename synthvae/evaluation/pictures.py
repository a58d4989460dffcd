"""What a report draws, as plain numbers: no row, no rare level, nothing of one person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ColumnPicture:
    """One column on all sides. labels: (v,) level names, "" where ``edges`` (v + 1,) cut a continuous column in bins.

    shares: per side ("real", "synthetic", "hold-out") (v,) shares of its rows; nulls: per side the share of nulls.
    edges are numbers, for instants seconds since 1970 (``temporal``). Opaque columns have neither labels nor edges.
    Levels under ``min_count`` real rows are together in the last label, "other".
    """

    column: str
    kind: str
    labels: tuple[str, ...] = ()
    edges: tuple[float, ...] = ()
    temporal: bool = False
    shares: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    nulls: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class MatrixPicture:
    """Association of every pair of columns, in [0, 1]. values: per side rows of (b, b), None where there is none."""

    title: str
    columns: tuple[str, ...]
    values: Mapping[str, tuple[tuple[float | None, ...], ...]]


@dataclass(frozen=True)
class PairPicture:
    """The joint table of two columns, cut or grouped as in ``ColumnPicture``. shares: per side rows of (v_x, v_y)."""

    x: ColumnPicture
    y: ColumnPicture
    score: float
    shares: Mapping[str, tuple[tuple[float, ...], ...]]


@dataclass(frozen=True)
class Pictures:
    """Everything drawn: each column, the association matrices, the pairs that differ most."""

    columns: tuple[ColumnPicture, ...] = ()
    matrix: MatrixPicture | None = None
    pairs: tuple[PairPicture, ...] = ()
