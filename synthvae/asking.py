"""From what a call asks for to the stream of its rows: conditions, targets, neither."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthvae.codecs.asked import lawful
from synthvae.errors import ParameterError
from synthvae.generation.conditional import conditioned
from synthvae.generation.rebalance import rebalanced, target_of
from synthvae.generation.stream import Completer, RowStream
from synthvae.schema.columns import Column
from synthvae.schema.conditions import Wish, wishes
from synthvae.schema.schema import Schema
from synthvae.schema.where import parse_where

Where = str | Mapping[str, Any]
Targets = Mapping[str, Mapping[Any, float]]


@dataclass(frozen=True)
class Ask:
    """Rows 0 .. ``rows`` - 1 of a seed, under conditions and with targets where there are some; see ``sample``."""

    rows: int
    seed: int
    where: Where | None = None
    targets: Targets | None = None

    @property
    def plain(self) -> bool:
        """Whether rows are asked for as they come."""
        return not self.where and not self.targets


def stream_of(completer: Completer, ask: Ask) -> RowStream:
    """The stream of the rows asked for; ConditionError where there can be none, ParameterError where too many."""
    codec, schema = completer.codec, completer.codec.schema
    codec.check_room(ask.rows)
    if ask.plain:
        return RowStream(completer, lawful=lawful(codec, {}))
    wanted = wished(schema, ask.where or {})
    if ask.targets:
        aims = [target_of(name, shares, column(schema, name).nullable) for name, shares in ask.targets.items()]
        return rebalanced(completer, aims, wanted, ask.seed)
    return conditioned(completer, wanted, ask.seed)


def wished(schema: Schema, where: Where) -> dict[str, Wish]:
    """Conditions, text or mapping, as wishes by column."""
    return wishes(parse_where(where) if isinstance(where, str) else where, schema.names)


def column(schema: Schema, name: str) -> Column:
    """The column of that name; ParameterError where there is none."""
    if name not in schema:
        raise ParameterError(f"There is no column {name!r}. There are: {', '.join(schema.names)}.")
    return schema[name]
