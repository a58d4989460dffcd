"""Rows whose margins are as wished: shares of values in several columns at once.

The wished columns are cut into groups (each stated condition, and the rest). The probability of every combination of
groups under the model is scaled until its margins are the wished ones and the dependence between the columns is left as
it was (iterative proportional fitting: Deming and Stephan 1940). Each row then picks a combination, and is drawn under
it as under any condition.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthvae.codecs import asked
from synthvae.errors import ConditionError, ParameterError
from synthvae.generation.conditional import pooled
from synthvae.generation.lead import started
from synthvae.generation.pool import Pool
from synthvae.generation.stream import Completer, RowStream
from synthvae.networks.layout import Array
from synthvae.schema.conditions import NoneOf, Null, OneOf, Wish, condition_of

MOST_COMBINATIONS = 128  # each is a pool of its own
ROUNDS, CLOSE = 500, 1e-9  # of proportional fitting


@dataclass(frozen=True, eq=False)
class Target:
    """Groups of one column and the share of rows that each is to have; the rest is a group like any other."""

    column: str
    groups: tuple[Wish, ...]
    shares: tuple[float, ...]


def target_of(column: str, wanted: Mapping[Any, float], nullable: bool) -> Target:
    """From what the user wrote: value -> share; ParameterError where shares are none or exceed 1."""
    shares = [float(share) for share in wanted.values()]
    if not shares or any(not 0 <= share <= 1 for share in shares) or sum(shares) > 1 + 1e-9:
        raise ParameterError(
            f"targets[{column!r}] must map values to shares of 0 to 1 that sum to at most 1; got {dict(wanted)!r}."
        )
    conditions = [condition_of(key) for key in wanted]
    if not all(isinstance(condition, (OneOf, Null)) for condition in conditions):
        raise ParameterError(f"targets[{column!r}] takes values, OneOf and NULL as keys; got {list(wanted)!r}.")
    groups = [condition.wish for condition in conditions]
    named = [value for wish in groups for value in wish.among or ()]
    if len(set(named)) < len(named):
        raise ParameterError(f"targets[{column!r}] names a value twice: {list(wanted)!r}.")
    if (left := 1 - sum(shares)) > 1e-9:
        rest = NoneOf(*named).wish
        told_null = any(wish.null for wish in groups)
        groups.append(Wish(nullable and not told_null, without=rest.without))
        shares.append(left)
    return Target(column, tuple(groups), tuple(shares))


def rebalanced(completer: Completer, targets: Sequence[Target], wishes: Mapping[str, Wish], seed: int) -> RowStream:
    """Rows that meet every wish and have the targets' shares."""
    shape = tuple(len(target.groups) for target in targets)
    if math.prod(shape) > MOST_COMBINATIONS:
        raise ParameterError(
            f"targets make {math.prod(shape):,} combinations of groups; at most {MOST_COMBINATIONS} can be balanced at "
            "once. Name fewer values or columns."
        )
    codec = completer.codec
    told, checked = asked.split(codec, wishes)
    if hidden := [target.column for target in targets if not asked.split(codec, {target.column: Wish()})[0]]:
        raise ParameterError(
            f"Columns {', '.join(map(repr, hidden))} follow from others by rules; no shares can be set."
        )
    pools: dict[tuple[int, ...], Pool] = {}
    for place in itertools.product(*map(range, shape)):
        whole = dict(told)
        for target, group in zip(targets, place, strict=True):
            wish = target.groups[group]
            whole[target.column] = wish.both(whole[target.column]) if target.column in whole else wish
        try:
            pools[place] = pooled(completer, whole, seed)
        except ConditionError:
            continue  # a combination that the model never saw has no share
    mass = np.zeros(shape)
    for place, found in pools.items():
        mass[place] = found.probability
    shares = fitted(mass, [np.array(target.shares) for target in targets], [target.column for target in targets])
    used = [place for place in pools if shares[place] > 0]
    stated = {name: wish for name, wish in told.items() if name not in {target.column for target in targets}}
    start = started(completer, [pools[p] for p in used], np.array([shares[p] for p in used]))
    return RowStream(completer, start, stated, asked.lawful(codec, checked))


def fitted(mass: Array, margins: Sequence[Array], names: Sequence[str]) -> Array:
    """The table nearest to ``mass`` (in Kullback-Leibler divergence) with the given margins along its axes."""
    for axis, (margin, name) in enumerate(zip(margins, names, strict=True)):
        own = mass.sum(axis=tuple(i for i in range(mass.ndim) if i != axis))
        if ((own == 0) & (margin > 0)).any():
            raise ConditionError(f"targets[{name!r}] asks for a value that the model never saw (with the conditions).")
    mass = mass / mass.sum()
    for _ in range(ROUNDS):
        worst = 0.0
        for axis, margin in enumerate(margins):
            others = tuple(i for i in range(mass.ndim) if i != axis)
            own = mass.sum(axis=others)
            worst = max(worst, float(np.abs(own - margin).max()))
            factor = np.divide(margin, own, out=np.zeros_like(margin), where=own > 0)
            mass = mass * np.expand_dims(factor, others)
        if worst < CLOSE:
            return mass
    raise ConditionError(
        f"The targets cannot be met together: combinations the model never saw would be needed (columns "
        f"{', '.join(map(repr, names))}). Loosen a share."
    )
