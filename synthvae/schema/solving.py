"""How rules are kept by computing: which columns each rule decides, and in which order.

A rule that can be solved for a column *decides* it from the columns it *needs*. Each column is decided once, and what a
decision needs is decided before it; where a rule could decide one of several columns, the first choice that suits all
the others is taken. ``acts`` is what decoding does, in its order; encoding does the inverse in the inverse order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from synthvae.schema.columns import Column
from synthvae.schema.constraints import (
    Constraint,
    Derived,
    FixedCombinations,
    FunctionalDependency,
    Inequality,
    NullWhen,
    OneHot,
    Sum,
)

MOST_TRIALS = 20_000  # ways of solving that are tried before a set of rules counts as not combinable
TOGETHER = (FixedCombinations, FunctionalDependency, OneHot)


@dataclass(frozen=True)
class Chain:
    """The columns after the first, each decided by its distance from the one before; ``rising`` or falling."""

    rule: Inequality
    columns: tuple[str, ...]
    rising: bool

    @property
    def decides(self) -> frozenset[str]:
        return frozenset(self.columns[1:])

    @property
    def needs(self) -> frozenset[str]:
        return frozenset(self.columns[:1])

    @property
    def rules(self) -> tuple[Constraint, ...]:
        return (self.rule,)


@dataclass(frozen=True)
class Computed:
    """One column computed from all the others of its rule; ``free``: those that no other rule speaks of."""

    rule: Sum | Derived
    target: str
    free: frozenset[str] = frozenset()

    @property
    def decides(self) -> frozenset[str]:
        return frozenset({self.target})

    @property
    def needs(self) -> frozenset[str]:
        return frozenset(self.rule.names) - {self.target}

    @property
    def rules(self) -> tuple[Constraint, ...]:
        return (self.rule,)


@dataclass(frozen=True)
class Together:
    """Columns decided at once, as one category of combinations."""

    rules: tuple[Constraint, ...]
    columns: tuple[str, ...]

    @property
    def decides(self) -> frozenset[str]:
        return frozenset(self.columns)

    @property
    def needs(self) -> frozenset[str]:
        return frozenset()


@dataclass(frozen=True)
class Nulled:
    """A column made null after its value is there, and before anything needs it."""

    rule: NullWhen

    @property
    def decides(self) -> frozenset[str]:
        return frozenset()

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.rule.when})

    @property
    def rules(self) -> tuple[Constraint, ...]:
        return (self.rule,)


Act = Chain | Computed | Together | Nulled
Choice = tuple[Act, ...]  # ways to keep one rule, the preferred first


class NotCombinableError(ValueError):
    """Two rules that cannot both be kept by computing."""

    def __init__(self, one: Constraint, other: Constraint) -> None:
        self.pair = (one, other)
        super().__init__(f"constraints '{one.says}' and '{other.says}' cannot be combined")


def acts(rules: Sequence[Constraint], columns: Mapping[str, Column]) -> tuple[Act, ...]:
    """What decoding does to keep the rules, in its order; NotCombinableError names two in each other's way.

    Uniqueness and predicates are not decided here: rows that break them are drawn again.
    """
    found: list[Act] = []
    for choices in _apart(_choices(rules, columns)):
        solved = _solve(choices)
        if solved is None:
            raise NotCombinableError(*_culprits(choices))
        found += solved
    return tuple(_with_free(act, rules) if isinstance(act, Computed) else act for act in found)


def _apart(choices: Sequence[Choice]) -> list[list[Choice]]:
    """The choices in groups that have no column in common: each is solved for itself."""
    groups: list[tuple[set[str], list[Choice]]] = []
    for choice in choices:
        names = {name for rule in choice[0].rules for name in rule.names}
        touching = [group for group in groups if group[0] & names]
        merged = (names.union(*(g[0] for g in touching)), [*(c for g in touching for c in g[1]), choice])
        groups = [group for group in groups if group not in touching] + [merged]
    return [group for _, group in groups]


def _with_free(act: Computed, rules: Sequence[Constraint]) -> Computed:
    spoken = {name for rule in rules if rule != act.rule for name in rule.names}
    return replace(act, free=act.needs - spoken)


def _choices(rules: Sequence[Constraint], columns: Mapping[str, Column]) -> list[Choice]:
    """Of each rule the ways to keep it, the preferred first; rules of combinations that share columns are one."""
    groups = _groups([rule for rule in rules if isinstance(rule, TOGETHER)])
    made: list[Choice] = [(group,) for group in groups]
    for rule in rules:
        if isinstance(rule, Inequality):
            made.append(_chains(rule, columns))
        elif isinstance(rule, Sum):
            targets = ([] if rule.total is None else [rule.total]) + list(reversed(rule.parts))
            made.append(tuple(Computed(rule, target) for target in targets))
        elif isinstance(rule, Derived):
            made.append((Computed(rule, rule.column),))
        elif isinstance(rule, NullWhen) and not any(set(rule.names) <= group.decides for group in groups):
            made.append((Nulled(rule),))
    return made


def _chains(rule: Inequality, columns: Mapping[str, Column]) -> tuple[Act, ...]:
    """From the first column upwards or from the last one downwards; rather from one that is never null."""
    up, down = Chain(rule, rule.columns, True), Chain(rule, tuple(reversed(rule.columns)), False)
    first, last = (columns[name].nullable for name in (rule.columns[0], rule.columns[-1]))
    return (down, up) if first and not last else (up, down)


def _groups(rules: Sequence[Constraint]) -> list[Together]:
    groups: list[Together] = []
    for rule in rules:
        touching = [group for group in groups if group.decides & set(rule.names)]
        names = dict.fromkeys([name for group in touching for name in group.columns] + list(rule.names))
        merged = Together((*(r for group in touching for r in group.rules), rule), tuple(names))
        groups = [group for group in groups if group not in touching] + [merged]
    return groups


def _solve(choices: Sequence[Choice]) -> tuple[Act, ...] | None:
    trials = iter(range(MOST_TRIALS))

    def extend(chosen: list[Act], rest: Sequence[Choice]) -> tuple[Act, ...] | None:
        if not rest:
            return _ordered(chosen)
        for act in rest[0]:
            if next(trials, None) is None:
                return None
            if all(_agree(act, other) for other in chosen) and _ordered([*chosen, act]) is not None:
                found = extend([*chosen, act], rest[1:])
                if found is not None:
                    return found
        return None

    return extend([], choices)


def _agree(one: Act, other: Act) -> bool:
    """Whether no column is decided twice, and no combination is torn by nulls from outside it."""
    if one.decides & other.decides:
        return False
    for a, b in ((one, other), (other, one)):
        if isinstance(a, Nulled) and isinstance(b, Together) and a.rule.column in b.decides:
            return False
    if isinstance(one, Nulled) and isinstance(other, Nulled) and one.rule.column == other.rule.column:
        return not (one.rule.exactly or other.rule.exactly)
    return True


def _ordered(chosen: Sequence[Act]) -> tuple[Act, ...] | None:
    """The acts, each after those it builds on; None where they go in circles."""
    before = {place: set(_before(place, chosen)) for place in range(len(chosen))}
    try:
        return tuple(chosen[place] for place in TopologicalSorter(before).static_order())
    except CycleError:
        return None


def _before(place: int, chosen: Sequence[Act]) -> Iterator[int]:
    own = chosen[place]
    nulls = own.rule.column if isinstance(own, Nulled) else None
    for other, act in enumerate(chosen):
        if other == place:
            continue
        needed = act.decides | ({act.rule.column} if isinstance(act, Nulled) else set())
        if needed & own.needs or (nulls is not None and nulls in act.decides):
            yield other


def _culprits(choices: Sequence[Choice]) -> tuple[Constraint, Constraint]:
    """The first rule that does not fit those before it, and one of those without which it would."""
    last = next(end for end in range(1, len(choices) + 1) if _solve(choices[:end]) is None) - 1
    earlier = [place for place in range(last) if _touch(choices[place][0], choices[last][0])] or list(range(last))
    alone = [p for p in earlier if _solve([choices[p], choices[last]]) is None]
    without = [p for p in earlier if _solve([*choices[:p], *choices[p + 1 : last + 1]]) is not None]
    other = next(iter([*alone, *without, *earlier, last]))
    return choices[other][0].rules[0], choices[last][0].rules[0]


def _touch(one: Act, other: Act) -> bool:
    names = [{name for rule in act.rules for name in rule.names} for act in (one, other)]
    return bool(names[0] & names[1])
