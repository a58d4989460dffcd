"""A fit under a budget: counts are bought, rows are made of them, and all that an ordinary fit learns it learns there.

The codecs, the grids, the first weights and the calibration come from rows that are private already, so the ordinary
code runs on them as it is and has nothing to give away. Only gradient steps go back to the rows, clipped and noisy,
where there are rows and budget enough for them to gain anything.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa

from synthvae import fitting, tables
from synthvae.codecs.table import TableCodec
from synthvae.errors import ParameterError, SchemaError
from synthvae.generation.calibrate import calibrate, frequencies
from synthvae.networks.layout import Array
from synthvae.networks.vae import VAE, NetworkConfig
from synthvae.privacy.accountant import Steps, gaussian_mu, step_noise
from synthvae.privacy.budget import Budget
from synthvae.privacy.ledger import Ledger
from synthvae.privacy.mechanisms import noise_source
from synthvae.privacy.private_table import PrivateTable, discreet
from synthvae.saved import Learned, layout_of
from synthvae.schema.check import typed
from synthvae.schema.columns import Categorical, Column
from synthvae.schema.schema import Schema
from synthvae.surrogate.allotment import Allotment, rows_spend
from synthvae.surrogate.make import Surrogate, surrogate, weights
from synthvae.surrogate.public import neutral
from synthvae.training import private

LEVEL_DELTA = 0.1  # share of delta for naming levels that nobody wrote down


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
    rows, container = tables.read(table, tame=True)
    made, asked = bought(rows, settings.schema, budget, run.seed)
    del rows
    codec = TableCodec.fit(_schema(made, settings.schema, container), made.table)
    steps = private.planned(made.rows, budget.epsilon)
    learned = _first(settings, codec, made.table, run, steps is not None)
    if steps is not None:
        _refine(learned, asked, made.rows, steps, run.seed)
        learned = dataclasses.replace(learned, shifts=_calibrated(learned, made.table, run.seed))
    facts = {"rows": round(made.rows), "privacy": asked.ledger.facts()}
    return dataclasses.replace(learned, history=learned.history.iloc[:0], card=learned.card | facts)


def bought(rows: pa.Table, schema: Schema | None, budget: Budget, seed: int) -> tuple[Surrogate, PrivateTable]:
    """Rows made from noisy counts of ``rows``, and these where they can only be asked, for what is left to ask."""
    columns = _columns(rows.schema, schema, budget)
    rows = rows.select([column.name for column in columns])
    with discreet():
        # a cast would put the levels of an ordered category in the order of the rows
        rows = typed(rows, [c for c in columns if str(rows.schema.field(c.name).type) != c.arrow])
    asked = PrivateTable(rows, Ledger(budget), noise_source(seed if budget.testing else None))
    found = sum(_unlisted(column) for column in columns)
    each = LEVEL_DELTA * budget.delta / max(found, 1)
    mu2 = gaussian_mu(budget.epsilon, budget.delta - each * found) ** 2
    count = max(asked.size(rows_spend(budget, mu2)), 1.0)
    share = 1.0 if private.planned(count, budget.epsilon) is None else private.COUNTS
    allotment = Allotment(budget, share * mu2, weights(columns), each)
    return surrogate(asked, columns, count, allotment, np.random.default_rng([seed, 5])), asked


def _columns(fields: pa.Schema, schema: Schema | None, budget: Budget) -> list[Column]:
    """What is public of each column; SchemaError or ParameterError where names do not fit."""
    names = fields.names
    if budget.unit is not None and budget.unit not in names:
        raise ParameterError(f"unit must name a column ({', '.join(names)}); got {budget.unit!r}.")
    if schema is None:
        return [neutral(name, fields.field(name).type, budget.unit) for name in names]
    wrong = [f"column {name!r} is missing" for name in schema.names if name not in names]
    wrong += [f"column {name!r} is not in the schema" for name in names if name not in schema]
    if wrong:
        raise SchemaError("The table does not have the columns of the schema:", wrong)
    recoded = [c.name for c in schema if _unlisted(c) and c.arrow != str(fields.field(c.name).type)]
    if recoded:
        raise SchemaError("Columns without levels must be of the schema's type:", recoded)
    if schema.constraints:
        raise ParameterError(
            "Rules between columns cannot be kept under a budget: what they need to know of the rows is not paid for. "
            "Use schema.without_constraints()."
        )
    if schema.group is not None and schema.group != budget.unit:
        raise ParameterError(
            f"The schema says that rows belong to a {schema.group!r}, which is then who is to be protected. Got "
            f"{budget!r}; use Budget(..., unit={schema.group!r}, rows_per_unit=...), or a schema without a group."
        )
    return list(schema.columns)


def _unlisted(column: Column) -> bool:
    """Whether the levels of a column are to be found out."""
    return isinstance(column, Categorical) and not column.levels and column.arrow != "null"


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


def _refine(learned: Learned, asked: PrivateTable, rows: float, steps: private.Planned, seed: int) -> None:
    """Noisy steps on the rows, with whatever the counts have left."""
    budget, ledger = asked.ledger.budget, asked.ledger
    wanted = Steps(steps.rate, 1.0, steps.count, budget.rows_per_unit)
    noise = step_noise(ledger.mu, wanted, budget.epsilon, budget.delta - ledger.delta)
    # what is asked of a row must be as secret as the noise: known beforehand, a row less would move all later ones
    rng = np.random.default_rng([seed, 6]) if budget.testing else noise_source()
    private.train(learned.vae, asked, learned.codec.encode, rows, private.PrivatePlan(steps, noise), rng)


def _calibrated(learned: Learned, made: pa.Table, seed: int) -> list[Array]:
    """The heads set to the frequencies of made rows, which are paid for."""
    vae, codec = learned.vae, learned.codec
    counts = frequencies(vae.layout, codec.encode(made))
    return calibrate(vae, range(vae.layout.b), counts, codec.schema.min_count, seed)
