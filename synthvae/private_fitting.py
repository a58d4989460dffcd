"""A fit under a budget: counts are bought, rows are made of them, and all that an ordinary fit learns it learns there.

The codecs, the grids, the first weights and the calibration come from rows that are private already, so the ordinary
code runs on them as it is and has nothing to give away. Only gradient steps go back to the rows, clipped and noisy,
where there are rows and budget enough for them to gain anything.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from synthvae import fitting, tables
from synthvae.codecs.table import TableCodec
from synthvae.errors import ParameterError, SynthvaeWarning, TableError
from synthvae.generation.calibrate import calibrate, frequencies
from synthvae.networks.layout import Array
from synthvae.networks.vae import VAE, NetworkConfig
from synthvae.privacy.accountant import Steps, gaussian_mu, step_noise
from synthvae.privacy.budget import Budget
from synthvae.privacy.ledger import Ledger, Spend
from synthvae.privacy.mechanisms import Noise, secret_generator
from synthvae.privacy.private_table import PrivateTable, unsaid
from synthvae.saved import Learned, layout_of
from synthvae.schema.schema import Schema
from synthvae.surrogate import public
from synthvae.surrogate.allotment import Allotment, rows_spend
from synthvae.surrogate.make import Surrogate, surrogate, weights
from synthvae.surrogate.spelling import elected
from synthvae.training import private

# Shares of delta: for naming levels that nobody wrote down; for fits with noisy steps, of which each rate has a part.
# The noisy number of rows decides whether there are steps, and at which rate: each of these ways to go on keeps epsilon
# at a delta of its own, so all together do at the sum. What else is decided on the way are Gaussian looks of a total
# that is fixed beforehand, and those may follow from one another (Smith, Thakurta 2022).
LEVEL_DELTA, STEPS_DELTA = 0.1, 0.1
SPELLING = 0.03  # share of the budget (of mu^2) for what columns are that nothing declares


def check(budget: Budget, random_state: object, *unpaid: object) -> None:
    """ParameterError where a fit is asked for what a budget forbids."""
    if random_state is not None and not budget.testing:
        raise ParameterError(
            "Under a budget random_state (--seed) must be left out: whoever knows the seed can take the noise away. "
            "sample() may have one. To repeat a fit in a test, and for nothing else: Budget(..., testing=True)."
        )
    if any(part is not None for part in unpaid):
        raise ParameterError(
            "Under a budget there is no validation, sample_weight or checkpoint: each would read rows without paying."
        )


def fit(settings: fitting.Settings, budget: Budget, table: Any, run: fitting.Run) -> Learned:
    """Learn a table under ``budget``; see ``Synthesizer.fit``. The seed is of what is drawn without looking at rows."""
    rows, container, untyped = unsaid(lambda: tables.read_discreetly(table), TableError)
    schema = settings.schema
    counted = bought(rows, schema, budget, run.seed, untyped)
    made, asked = counted.made, counted.asked
    del rows
    _say_doubts(made.rows, schema, budget)
    codec = TableCodec.fit(_schema(made, schema, container), made.table)
    steps = private.planned(made.rows, budget.epsilon)
    learned = _first(settings, codec, made.table, run, steps is not None)
    if steps is not None:
        _refine(learned, counted, steps, run.seed)
        learned = dataclasses.replace(learned, shifts=_calibrated(learned, made.table, run.seed))
    facts = {"rows": round(made.rows), "privacy": asked.ledger.facts(_own_delta(budget, steps is not None))}
    return dataclasses.replace(learned, history=learned.history.iloc[:0], card=learned.card | facts)


@dataclass(frozen=True, eq=False)
class Bought:
    """made: rows from noisy counts; asked: the rows where they can only be asked; mu: the most that counts may cost,
    which does not depend on what they came to."""

    made: Surrogate
    asked: PrivateTable
    mu: float


def bought(rows: pa.Table, schema: Schema | None, budget: Budget, seed: int, untyped: Sequence[str] = ()) -> Bought:
    """Rows made from noisy counts of ``rows``. untyped: columns of text of which nothing declares what they are."""
    public.check(rows.column_names, schema, budget)
    ledger = Ledger(budget, () if schema is None else (public.told(schema),))
    asked = PrivateTable(rows, ledger, Noise(seed if budget.testing else None))
    whole = gaussian_mu(budget.epsilon, _own_delta(budget, stepped=False)) ** 2
    if untyped and schema is None:
        types = _bought_types(asked, untyped, SPELLING * whole)
    else:
        types = public.types(rows.schema, schema, untyped)
    columns = public.columns_of(types, schema, budget.unit)
    asked = asked.recast(lambda rows: public.brought(rows, columns, untyped))
    # columns whose type was bought may have turned out to be text, or not: delta must not depend on it
    found = sum(public.unlisted(column) or (schema is None and column.name in untyped) for column in columns)
    each = LEVEL_DELTA * budget.delta / max(found, 1)
    mu2 = whole - ledger.mu**2
    count = max(asked.size(rows_spend(budget, mu2)), 1.0)
    share = 1.0 if private.planned(count, budget.epsilon) is None else private.COUNTS
    allotment = Allotment(budget, share * mu2, weights(columns), each)
    most = (ledger.mu**2 + allotment.mu2) ** 0.5
    made = surrogate(asked, columns, count, allotment, np.random.default_rng([seed, 5]))
    return Bought(made, asked, most)


def _bought_types(asked: PrivateTable, untyped: Sequence[str], mu2: float) -> pa.Schema:
    """The type of each column where nothing declares those of some."""
    most = asked.ledger.budget.rows_per_unit * len(untyped) ** 0.5
    spend = Spend(f"how {len(untyped)} columns without a type are written", most, most / mu2**0.5)
    found = elected(asked, untyped, spend)
    return pa.schema([(field.name, found.get(field.name, field.type)) for field in asked.types])


def _own_delta(budget: Budget, stepped: bool) -> float:
    """The delta at which a fit with or without noisy steps keeps epsilon."""
    return budget.delta * (STEPS_DELTA / len(private.RATES) if stepped else 1 - LEVEL_DELTA - STEPS_DELTA)


def _say_doubts(rows: float, schema: Schema | None, budget: Budget) -> None:
    """Warn of what keeps the letter of the promise but not its purpose; of the rows it knows what is paid for."""
    if budget.delta > 1 / rows:
        warnings.warn(
            f"delta is {budget.delta:g}, above 1 / number of rows ({1 / rows:.1g}): a mechanism may then publish a row "
            "whole and keep the promise. Use a delta well below.",
            SynthvaeWarning,
            stacklevel=4,
        )
    inferred = [c.name for c in schema or () if c.open_share is not None]
    if inferred:
        warnings.warn(
            f"The schema looks inferred from rows ({inferred[0]!r} has an open_share). What it holds is taken as "
            "public and not paid for; if it came from these rows, the promise does not cover it. Write down what is "
            "known without them.",
            SynthvaeWarning,
            stacklevel=4,
        )


def _schema(made: Surrogate, given: Schema | None, container: tables.Container) -> Schema:
    base = given or Schema(made.columns)
    return dataclasses.replace(base, columns=made.columns, proposals=()).carried_by(container)


def _first(settings: fitting.Settings, codec: TableCodec, made: pa.Table, run: fitting.Run, small: bool) -> Learned:
    """The ordinary fit, on made rows; small: of a network whose weights are then moved by noisy steps."""
    layout = layout_of(codec)
    rows, held_out = fitting.parts(made, codec, None, None, run.seed)
    vae, plan = fitting.networks(settings, layout, rows.tokens, run.seed)
    if small:
        config = NetworkConfig.noisy(settings.latent_dim, settings.latent_nats)
        vae = VAE(layout, config, np.random.default_rng([run.seed, 0]))
    return fitting.trained(made, codec, vae, plan, (rows, held_out), run)


def _refine(learned: Learned, counted: Bought, steps: private.Planned, seed: int) -> None:
    """Noisy steps on the rows, with whatever the counts leave for certain."""
    budget = counted.asked.ledger.budget
    wanted = Steps(steps.rate, 1.0, steps.count, budget.rows_per_unit)
    noise = step_noise(counted.mu, wanted, budget.epsilon, _own_delta(budget, stepped=True))
    # what is asked of a row must be as secret as the noise: known beforehand, a row less would move all later ones
    rng = np.random.default_rng([seed, 6]) if budget.testing else secret_generator()
    plan = private.PrivatePlan(steps, noise)
    private.train(learned.vae, counted.asked, learned.codec.encode, counted.made.rows, plan, rng)


def _calibrated(learned: Learned, made: pa.Table, seed: int) -> list[Array]:
    """The heads set to the frequencies of made rows, which are paid for."""
    vae, codec = learned.vae, learned.codec
    counts = frequencies(vae.layout, codec.encode(made))
    return calibrate(vae, range(vae.layout.b), counts, codec.schema.min_count, seed)
