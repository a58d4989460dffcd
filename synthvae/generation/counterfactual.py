"""What would have to be otherwise for a row to meet a condition.

Candidates are the row with the wished cells drawn under the condition and some other cells drawn anew given the rest;
which ones is tried at random, few cells more often than many. A candidate is *plausible* where its other cells would
rather have the wished values than the row's: with r the candidate with the wished cells put back,

    odds = log p(candidate) - log p(r) >= 0,

as a counterfactual of a classifier must turn its answer (Wachter, Mittelstadt, Russell 2018), with the model as the
classifier; and where it is no stranger than rows under the condition are: log p(candidate) is at least that of all but
the strangest twentieth of them. Plausible candidates come first, those that change fewer cells before others, then the
likelier ones. log p is estimated, and the best of many estimates are partly lucky, so the first of them are judged once
more with fresh noise before any is handed out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthvae.codecs import asked
from synthvae.errors import ConditionError
from synthvae.generation.complete import inverse_cdf
from synthvae.generation.conditional import pooled
from synthvae.generation.greedy import follow, wished_tables
from synthvae.generation.lead import started
from synthvae.generation.noise import LATENT, TILE, generator
from synthvae.generation.stream import Completer, RowStream
from synthvae.generation.walk import Walk
from synthvae.networks.layout import Array
from synthvae.schema.conditions import Wish
from synthvae.tables import plain

ROUNDS = 2  # of TILE candidates each
AGAIN = 4  # times as many as are wanted are judged a second time
STRANGE = 0.05  # share of the rows under the condition that are too strange to be compared with


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """Rows that meet a condition, nearest first.

    rows: the kind of table that was fitted. facts: a line for each, ``changed`` (how many cells differ), ``columns``
    (which), ``plausible``, ``odds`` (nats by which the other cells prefer the wished values to the row's own) and
    ``log_prob`` (nats of tokens).
    """

    rows: Any
    facts: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Found:
    """Candidates in order: rows as a table, tokens' facts."""

    table: pa.Table
    facts: pd.DataFrame


def counterfactuals(
    completer: Completer, row: pa.Table, wishes: Mapping[str, Wish], keep: Collection[str], count: int, seed: int
) -> Found:
    """The best ``count`` rows that are as ``row`` (one whole row) but meet the wishes, columns ``keep`` untouched.

    ConditionError where a column is to be kept and wished otherwise, or the model knows no such row.
    """
    codec = completer.codec
    wishes = {n: w for n, w in wishes.items() if not asked.meets(codec, row, {n: w}).all()}  # what holds already stays
    held = sorted(set(wishes) & set(keep))
    if held:
        raise ConditionError(f"{', '.join(map(repr, held))}: to be kept, but the row is not as wished there.")
    own = codec.encode(row)[0]
    rounds = range(ROUNDS) if wishes else ()
    tried = [_candidates(completer, own, wishes, keep, seed, attempt) for attempt in rounds]
    tokens = np.unique(np.concatenate(tried), axis=0) if wishes else own[None]
    least = _strange(completer, wishes, seed) if wishes else -np.inf
    tokens = tokens[_facts(completer, own, tokens, wishes, least, seed).order[: AGAIN * count]]
    facts = _facts(completer, own, tokens, wishes, least, seed + 1)
    order = facts.order[:count]
    rows = np.arange(len(order), dtype=np.int64)
    made = codec.decode(tokens[order], rows, seed, wishes, middle=True)
    return Found(_merged(row, made, facts.columns[order]), _named(facts, order))


@dataclass(frozen=True, eq=False)
class _Facts:
    """(n,) each; columns: which differ."""

    changed: Array
    plausible: Array
    odds: Array
    log_prob: Array
    columns: Array

    @property
    def order(self) -> Array:
        """Best first."""
        return np.lexsort((-self.log_prob, self.changed, ~self.plausible))


def _candidates(
    completer: Completer, own: Array, wishes: Mapping[str, Wish], keep: Collection[str], seed: int, attempt: int
) -> Array:
    """TILE rows of tokens (TILE, b) under the wishes, some of the other cells as they are."""
    vae, codec, rng = completer.vae, completer.codec, generator(seed, LATENT, 0, attempt)
    known = _held(codec.block_columns, set(wishes), set(keep), rng)
    tokens = np.where(known, own, 0).astype("int32")
    mean, deviation = completer.posterior.moments(tokens, known)
    z = mean + deviation * rng.standard_normal(mean.shape, dtype=np.float32)
    allowed = asked.allowed(codec, asked.split(codec, wishes)[0])
    order = [*sorted(allowed), *(j for j in range(vae.layout.b) if j not in allowed)]
    uniforms = rng.random((TILE, vae.layout.b), dtype=np.float32)
    tables = wished_tables(vae.layout, completer.shifts, allowed)
    walk = Walk(vae, tokens, known, z)
    return np.asarray(follow(walk, order, tables, lambda j, logits: inverse_cdf(logits, uniforms[:, j])))


def _held(block_columns: tuple[str, ...], wished: set[str], keep: set[str], rng: np.random.Generator) -> Array:
    """Which cells (TILE, b) stay as they are: all but the wished columns and, by row, some of those not to be kept."""
    columns = list(dict.fromkeys(block_columns))
    free = np.array([name not in wished | keep for name in columns])
    share = np.square(rng.random((TILE, 1)))  # of the free cells that are drawn anew: few more often than many
    loose = (rng.random((TILE, len(columns))) < share) & free
    loose |= np.array([name in wished for name in columns])
    return ~loose[:, [columns.index(name) for name in block_columns]]


def _facts(
    completer: Completer, own: Array, tokens: Array, wishes: Mapping[str, Wish], least: float, seed: int
) -> _Facts:
    """least: the log p below which a row is too strange."""
    names = np.array(completer.codec.block_columns)
    wished = np.isin(names, list(wishes))
    back = np.where(wished, own, tokens)
    log_prob = completer.scorer.log_prob(tokens, seed)
    odds = log_prob - completer.scorer.log_prob(back, seed)
    differs = tokens != own
    columns = [tuple(dict.fromkeys(names[(line | wished)].tolist())) for line in differs]
    listed = np.empty(len(columns), object)
    listed[:] = columns
    plausible = (odds >= 0) & (log_prob >= least)
    return _Facts(np.array([len(line) for line in columns]), plausible, odds, log_prob, listed)


def _strange(completer: Completer, wishes: Mapping[str, Wish], seed: int) -> float:
    """The log p that a twentieth of the model's own rows under the wishes fall short of."""
    start = started(completer, [pooled(completer, wishes, seed)], np.ones(1))
    return float(np.quantile(completer.scorer.log_prob(RowStream(completer, start).tokens(seed, 0), seed), STRANGE))


def _named(facts: _Facts, order: Array) -> pd.DataFrame:
    columns = [", ".join(line) for line in facts.columns[order]]
    return pd.DataFrame(
        {
            "changed": facts.changed[order],
            "columns": columns,
            "plausible": facts.plausible[order],
            "odds": facts.odds[order],
            "log_prob": facts.log_prob[order],
        }
    )


def _merged(row: pa.Table, made: pa.Table, changed: Array) -> pa.Table:
    """The row repeated, with what is changed as it was made."""
    columns = {}
    for name in made.column_names:
        old = plain(row[name]).combine_chunks()
        new = plain(made[name]).combine_chunks().cast(old.type)
        places = [1 + i if name in line else 0 for i, line in enumerate(changed)]
        columns[name] = pa.concat_arrays([old, new]).take(pa.array(places, pa.int64()))
    return pa.table(columns)
