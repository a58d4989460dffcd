"""A fit of a table in memory, from table to model: lawful rows, tokens, networks, training, calibration."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from synthvae import card, tables
from synthvae.codecs.table import TableCodec
from synthvae.errors import CollapseWarning, ParameterError, SynthvaeWarning, TableError
from synthvae.generation import aggregate
from synthvae.generation.calibrate import calibrate, frequencies
from synthvae.networks.layout import Array, Layout
from synthvae.networks.vae import VAE, NetworkConfig
from synthvae.saved import Learned, layout_of
from synthvae.schema.columns import Text
from synthvae.schema.infer import infer_schema
from synthvae.schema.obeyed import broken
from synthvae.schema.schema import Schema
from synthvae.training import estimate, schedules, trainer
from synthvae.training.effort import EFFORTS, Effort
from synthvae.training.feed import Feed, Whole
from synthvae.training.split import split

log = logging.getLogger("synthvae")
ENOUGH_STEPS = 200  # a shorter fit has not learned a latent yet, so it cannot have lost it
COLLAPSED_NATS = 0.5  # a latent that carries less than this is no use to any tool


@dataclass(frozen=True)
class Settings:
    """What the user decides of a fit."""

    schema: Schema | None
    epochs: int | None
    batch_size: int | None
    latent_dim: int
    effort: Effort = EFFORTS["default"]
    latent_nats: float = NetworkConfig.free_nats


@dataclass(frozen=True)
class Run:
    """How a fit is gone through. seed: of whatever it draws; progress: hears where it stands; checkpoint: a file from
    which it resumes.
    """

    seed: int
    progress: Callable[[trainer.Progress], None] | None = None
    checkpoint: str | Path | None = None


@dataclass(frozen=True, eq=False)
class Rows:
    """Tokens (n, b) with the weight of each row (n,), mean 1, or None where all count alike."""

    tokens: Array
    weights: Array | None

    def take(self, places: Array) -> Rows:
        return Rows(self.tokens[places], None if self.weights is None else self.weights[places])

    def stored(self, type_: np.dtype[Any]) -> Rows:
        return Rows(self.tokens.astype(type_), self.weights)


@dataclass(frozen=True, eq=False)
class Lesson:
    """What there is to learn from. rows: of the table; held_out: (m, b) the tokens to judge by; counts: of all tokens,
    see ``frequencies``; weights: of the rows that ``feed`` hands out, or None.
    """

    rows: int
    feed: Feed
    held_out: Array
    counts: list[Array]
    weights: Array | None = None


def fit(
    settings: Settings,
    table: Any,
    validation: Any,
    sample_weight: Any,
    run: Run,
) -> Learned:
    """Learn a table in memory; see ``Synthesizer.fit``."""
    arrow, schema = _lawful(table, settings.schema, validation)
    codec = TableCodec.fit(schema, arrow)
    say_folded(codec)
    rows, held_out = parts(arrow, codec, validation, _weights(sample_weight, arrow.num_rows), run.seed)
    vae, plan = networks(settings, layout_of(codec), rows.tokens, run.seed)
    return trained(arrow, codec, vae, plan, (rows, held_out), run)


def trained(
    table: pa.Table,
    codec: TableCodec,
    vae: VAE,
    plan: schedules.Plan,
    parts: tuple[Rows, Rows],
    run: Run,
) -> Learned:
    """What training and calibration make of networks; parts: the rows to learn from and those to judge by."""
    rows, held_out = parts
    both = (frequencies(vae.layout, part.tokens, part.weights) for part in parts)
    counts = [a + b for a, b in zip(*both, strict=True)]
    lesson = Lesson(table.num_rows, Whole(rows.tokens), held_out.tokens, counts, rows.weights)
    return taught(lesson, codec, vae, plan, run)


def taught(
    lesson: Lesson,
    codec: TableCodec,
    vae: VAE,
    plan: schedules.Plan,
    run: Run,
) -> Learned:
    """The same of a table in memory or not."""
    cost = estimate.estimate(vae, plan)
    log.info("%s", cost)
    loop = trainer.Trainer(vae, plan, run.seed, Path(run.checkpoint) if run.checkpoint else None)
    outcome = loop.fit(lesson.feed, lesson.held_out, run.progress, lesson.weights)
    learned_from, least = lesson.feed.tokens(0), codec.schema.min_count
    chosen = aggregate.suited(vae, learned_from, lesson.held_out, lesson.weights, least, run.seed)
    vae.prior = chosen.prior
    log.info("prior %s: %.2f nats per held-out row gained", chosen.prior.kind, chosen.gain)
    shifts = calibrate(vae, range(vae.layout.b), lesson.counts, codec.schema.min_count, run.seed)
    facts = card.facts(lesson.rows, codec, plan, outcome, cost, run.seed)
    facts |= {"prior": chosen.prior.kind, "prior_gain_nats": chosen.gain}
    return Learned(codec, vae, shifts, card.history(codec, outcome), facts)


def warn(facts: dict[str, Any]) -> None:
    """Say what the user should know of a fit: that it was interrupted, that the latent collapsed."""
    if facts["ended"] == "interrupted":
        warnings.warn(
            f"The fit was interrupted; the weights of epoch {facts['kept_epoch']} are kept.",
            SynthvaeWarning,
            stacklevel=3,
        )
    if facts["latent_nats"] < COLLAPSED_NATS and facts["steps"] >= ENOUGH_STEPS:
        warnings.warn(
            f"The latent carries {facts['latent_nats']:.2f} nats per row: it has collapsed, latent tools say nothing. "
            "The columns may be independent or few; else train longer (epochs), in smaller batches (batch_size), or "
            "with more latent_nats.",
            CollapseWarning,
            stacklevel=3,
        )


def _lawful(table: Any, schema: Schema | None, validation: Any) -> tuple[pa.Table, Schema]:
    """The table as Arrow, in the order and types of its schema."""
    arrow, container = tables.read(table)
    schema = schema or _inferred(arrow, validation)
    return schema.check(arrow), schema.carried_by(container)


def _inferred(table: pa.Table, validation: Any) -> Schema:
    """The schema that a table suggests, without the rules that the rows held out break: they held by chance."""
    schema = infer_schema(table)
    if validation is None or not schema.constraints:
        return schema
    others, columns = schema.without_constraints().check(validation), {c.name: c for c in schema.columns}
    chance = [rule for rule in schema.constraints if broken(rule, others, columns).any()]
    for rule in chance:
        log.info("The rule '%s' is dropped: rows of the validation table break it.", rule.says)
    return schema.without_constraints(*chance) if chance else schema


def _weights(given: Any, rows: int) -> Array | None:
    """(n,) with mean 1; ParameterError where they are no weights of the rows."""
    if given is None:
        return None
    try:
        weights = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        weights = np.zeros(0)
    if weights.shape != (rows,) or not np.isfinite(weights).all() or (weights < 0).any() or not weights.sum():
        unusable = int((~(weights >= 0)).sum())
        raise ParameterError(
            f"sample_weight must be {rows:,} numbers, one for each row, finite, 0 or more and not all 0; got "
            f"{weights.size:,} of shape {weights.shape}, {unusable:,} of them negative or not a number."
        )
    return np.asarray(weights / weights.mean())


def parts(table: pa.Table, codec: TableCodec, validation: Any, weights: Array | None, seed: int) -> tuple[Rows, Rows]:
    """The rows to learn from and those to judge by, in the smallest integers that hold their tokens."""
    rows, group, type_ = Rows(codec.encode(table), weights), codec.schema.group, estimate.token_type(layout_of(codec))
    if validation is not None:
        return rows.stored(type_), Rows(codec.encode(codec.schema.check(validation)), None).stored(type_)
    number = f"row of {group}"  # so never the name of the group itself
    owners = {} if group is None else {group: tables.plain(table[group])}
    numbered = pa.table({number: np.arange(len(rows.tokens)), **owners})
    learn, judge = (part[number].to_numpy() for part in split(numbered, group, seed))
    if not len(learn):
        what = "rows" if group is None else f"groups (different values of {group!r})"
        raise TableError(f"Expected at least 2 {what}, one to learn from and one to judge by. Got 1.")
    return rows.take(learn).stored(type_), rows.take(judge).stored(type_)


def networks(settings: Settings, layout: Layout, tokens: Array, seed: int) -> tuple[VAE, schedules.Plan]:
    """Networks and a plan that suit so many rows of tokens (n, b)."""
    varies = bool((tokens != tokens[0]).any())  # where all rows are the same, one look is enough
    epochs, times = settings.epochs if varies else 1, settings.effort.visits
    plan = schedules.plan(len(tokens), epochs, settings.batch_size, layout.b, times)
    return vae_of(settings, layout, len(tokens), seed), plan


def vae_of(settings: Settings, layout: Layout, rows: int, seed: int) -> VAE:
    """Networks, not yet fitted, that suit a table of so many rows."""
    width, nats = settings.effort.width, settings.latent_nats
    config = NetworkConfig.suited(rows, layout.b, settings.latent_dim, width, nats)
    return VAE(layout, config, np.random.default_rng([seed, 0]))


def say_folded(codec: TableCodec) -> None:
    """Tell what will not come back: content of text aloud, folded values for whoever listens."""
    for name, report in codec.reports.items():
        for note in report.notes:
            log.log(logging.WARNING if codec.schema[name].kind == Text.kind else logging.INFO, "%s: %s", name, note)
