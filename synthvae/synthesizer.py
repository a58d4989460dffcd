"""Synthesizer: puts the rooms together and decides nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import BaseEstimator

from synthvae import bundle, fitting, private_fitting, saved, streaming, tables, writing
from synthvae.asking import Ask, Targets, Where, column, stream_of, wished
from synthvae.augmenting import Augmented, lift, missing_shares, stacked
from synthvae.codecs.asked import values_of
from synthvae.errors import BundleError, NotFittedError, ParameterError
from synthvae.finetuning import finetune
from synthvae.generation.anomaly import LeaveOut
from synthvae.generation.conditional import Odds, odds
from synthvae.generation.fill import drawn, most_likely, nulls, target_odds
from synthvae.generation.latent import Latents
from synthvae.generation.noise import seed_of
from synthvae.generation.stream import Completer, RowStream
from synthvae.latent_tools import LatentTools
from synthvae.networks.layout import Array
from synthvae.networks.vae import NetworkConfig
from synthvae.privacy.budget import Budget
from synthvae.schema.columns import Column
from synthvae.schema.conditions import Wish
from synthvae.schema.schema import Schema
from synthvae.training import trainer
from synthvae.training.effort import effort

SAVED = ("effort", "epochs", "batch_size", "latent_dim", "latent_nats")  # parameters that travel in a bundle
RandomState = int | np.random.Generator | None


class Synthesizer(LatentTools, BaseEstimator):
    """Learns a table and makes synthetic ones.

    schema: what the columns mean; None infers it. effort: how much time the fit may take, "fast", "default" or "high".
    epochs, batch_size: None lets the table's size decide (early stopping may end sooner). latent_dim: dimensions of the
    latent. latent_nats: how much the latent of a row may carry free of charge, in nats on average (free bits): more
    gives the latent tools more to work with, and rows less like the table's; with 0 there may be none. budget: the
    differential privacy that the fit is to keep; None: none. random_state: the seed of fit, and of ``sample`` where
    that is given none; None draws one from the operating system.

    Learned: ``schema_``, ``history_`` (a row per evaluated epoch, losses in nats per row; none under a budget),
    ``card_`` (its facts, under "privacy" what was paid for what).

    >>> import pandas as pd, synthvae as sv
    >>> people = pd.DataFrame({"age": [23, 35, 41, 58, 62] * 20, "smokes": [True, False] * 50})
    >>> model = sv.Synthesizer(epochs=2, random_state=0).fit(people)
    >>> model.sample(3, random_state=1).dtypes.equals(people.dtypes)
    True
    """

    def __init__(
        self,
        schema: Schema | None = None,
        *,
        effort: str = "default",
        epochs: int | None = None,
        batch_size: int | None = None,
        latent_dim: int = 16,
        latent_nats: float = NetworkConfig.free_nats,
        budget: Budget | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.schema = schema
        self.effort = effort
        self.epochs = epochs
        self.batch_size = batch_size
        self.latent_dim = latent_dim
        self.latent_nats = latent_nats
        self.budget = budget
        self.random_state = random_state

    def fit(
        self,
        table: Any,
        validation: Any = None,
        *,
        sample_weight: Any = None,
        progress: Callable[[trainer.Progress], None] | None = None,
        checkpoint: str | Path | None = None,
    ) -> Self:
        """Learn a table: a DataFrame, an Arrow table, dataset or reader, a polars frame, or path(s) of Parquet or CSV.

        Files, datasets and readers may be larger than memory: of more than a million rows or a GiB a schema and codecs
        are learned from a sample, tokens wait in a temporary file, and an epoch is a window of random rows (``epochs``
        are still passes over all of them).

        validation: rows held out for early stopping; None holds out a twentieth of ``table`` (whole groups where the
        schema has a group). sample_weight: (n,) how often each row of ``table`` counts, 0 or more; synthetic rows then
        have the weighted frequencies. progress: called several times an epoch. checkpoint: a file from which a killed
        fit resumes. Ctrl-C keeps the best weights so far. Under a budget these three are refused, and so is a
        random_state: who knows the seed can take the noise away. Raises TableError, SchemaError, TrainingError,
        BudgetError.
        """
        self._check_parameters()
        words = self.schema, self.epochs, self.batch_size, int(self.latent_dim), effort(self.effort)
        settings = fitting.Settings(*words, float(self.latent_nats))
        run = fitting.Run(seed_of(self.random_state), progress, checkpoint)
        if self.budget is None:
            learned = streaming.fit(settings, table, validation, sample_weight, run)
        else:
            private_fitting.check(self.budget, self.random_state, validation, sample_weight, checkpoint)
            learned = private_fitting.fit(settings, self.budget, table, run)
        self._keep(learned)
        fitting.warn(self.card_)
        return self

    def finetune(
        self,
        table: Any,
        epochs: int | None = None,
        *,
        validation: Any = None,
        progress: Callable[[trainer.Progress], None] | None = None,
        random_state: RandomState = None,
    ) -> Self:
        """A new model that goes on from this one on another table; this one stays as it is.

        The table may be smaller or newer, have levels this one has not seen, and columns more or fewer. What still
        means the same keeps its weights; the rest starts from its frequencies. It learns at a lower rate, for a quarter
        of the epochs unless told, and stops as ``fit`` does. On the table of the fit it is a fit continued. Raises what
        ``fit`` raises, SchemaError where no column is shared.
        """
        self._check_fitted()
        if self.budget is not None:
            raise ParameterError("A model under a budget cannot go on from it: the rows would be read without paying.")
        if epochs is not None:
            _whole("epochs", epochs)
        learned = finetune(self._learned_, table, validation, epochs, fitting.Run(self._seed(random_state), progress))
        model = type(self)(**{**self.get_params(deep=False), "schema": learned.codec.schema})
        model._keep(learned)
        fitting.warn(learned.card)
        return model

    def sample(
        self,
        n: int | None = None,
        where: Where | pd.DataFrame | pa.Table | None = None,
        targets: Targets | None = None,
        *,
        random_state: RandomState = None,
    ) -> Any:
        """``n`` synthetic rows: columns, order, dtypes and kind of table as fitted.

        where: what every row must be: a mapping from column to a value, a list of values, ``Between``, ``OneOf``,
        ``NoneOf``, ``NULL`` or ``NOT_NULL``; the same as text ("age >= 65 and sex in ('F', 'X')"); or a table of
        partial rows to complete, whose missing cells and columns are drawn (``n`` is then its length). targets: shares
        of values in the result, of several columns at once: ``{"income": {">50K": 0.5}}``; the other values keep their
        proportions. The first rows of a larger sample of the same ``random_state`` are the rows of a smaller one.
        Raises ConditionError where no row can be as wished.

        >>> import pandas as pd, synthvae as sv
        >>> people = pd.DataFrame({"age": [23, 35, 41, 58, 62] * 20, "smokes": [True, False] * 50})
        >>> model = sv.Synthesizer(epochs=2, random_state=0).fit(people)
        >>> bool((model.sample(20, where="age >= 50", random_state=1).age >= 50).all())
        True
        """
        self._check_fitted()
        seed = self._seed(random_state)
        if where is not None and not isinstance(where, (str, Mapping)):
            return self._completed(where, n, targets, seed)
        if n is None:
            raise ParameterError("n must be a whole number of at least 0; got None. Only partial rows say how many.")
        return self.schema_.restore(self._stream(n, seed, where, targets).table(seed, 0, n))

    def stream(
        self,
        n: int,
        where: Where | None = None,
        targets: Targets | None = None,
        *,
        batch_rows: int = 65536,
        random_state: RandomState = None,
    ) -> Iterator[pa.RecordBatch]:
        """The rows of ``sample`` as Arrow record batches, in constant memory."""
        seed = self._seed(random_state)
        return self._stream(n, seed, where, targets).batches(seed, n, _whole("batch_rows", batch_rows))

    def write(
        self,
        path: str | Path,
        n: int,
        where: Where | None = None,
        targets: Targets | None = None,
        *,
        engine: str | None = None,
        parts: int | None = None,
        rows_per_part: int | None = None,
        workers: int | None = None,
        resume: bool = False,
        random_state: RandomState = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Write the rows of ``sample`` to one Parquet or CSV file, or to a folder of Parquet parts, with provenance.

        As soon as ``engine``, ``parts``, ``rows_per_part``, ``workers`` or ``resume`` is given, ``path`` is a folder
        (or its URL), and each part appears in it once complete. engine: who makes the parts: "local" (processes of this
        machine), "ray", "spark", None (this process). resume: go on with what an earlier, killed call of the same left,
        with its seed and parts unless told. progress: hears of rows that are there. The rows are the same whatever
        engine and parts. OutputError, EngineError where they cannot be written.
        """
        layout = writing.Layout(engine, parts, rows_per_part, workers, resume)
        before = writing.seed_before(path) if resume and random_state is None else None
        ask = Ask(_whole("n", n, least=0), self._seed(random_state) if before is None else before, where, targets)
        stream = self._stream(ask.rows, ask.seed, where, targets)
        if layout.one_file:
            writing.write_file(self._learned_, stream, ask, path, progress)
        else:
            writing.write_parts(self._learned_, stream, ask, path, layout, progress)

    def odds(self, where: Where, *, random_state: RandomState = None) -> Odds:
        """How likely conditions are under the model, together and each alone."""
        self._check_fitted()
        return odds(self._completer, self._wishes(where), self._seed(random_state))

    def impute(self, table: Any, draws: int | None = None, *, random_state: RandomState = None) -> Any:
        """The table with every null filled, in its own kind, row order and index.

        draws None: each cell by itself with its most likely value (the median of numbers and dates). draws=m: a list of
        m tables whose nulls are drawn jointly, for multiple imputation (Rubin 1987). Columns that are missing
        altogether are filled too. What a rule of the schema decides is computed; where one says null, null stays.
        """
        arrow, container, holes = self._with_holes(table)
        index = table.index if isinstance(table, pd.DataFrame) else None
        schema, seed = self.schema_.carried_by(container), self._seed(random_state)
        if draws is None:
            return schema.restore(most_likely(self._completer, arrow, holes, seed), index)
        seeds = np.random.SeedSequence(seed).generate_state(_whole("draws", draws), np.uint64).tolist()
        return [schema.restore(drawn(self._completer, arrow, holes, one, nulls=False), index) for one in seeds]

    def predict_proba(self, table: Any, target: str, *, random_state: RandomState = None) -> pd.DataFrame:
        """p(target | the other cells): a row per row of ``table``, a column per value the target may have; null is
        none.

        What ``table`` holds in ``target`` is not looked at. Raises ParameterError where the target has no list of
        values.
        """
        arrow, _, _ = self._with_holes(table)
        values = self.values(target)
        shares = target_odds(self._completer, arrow, target, self._seed(random_state))
        index = table.index if isinstance(table, pd.DataFrame) else None
        return pd.DataFrame(shares, columns=pd.Index(values, name=target), index=index)

    def values(self, column: str) -> list[Any]:
        """The values a column may have; ParameterError where they are not listed (numbers of many values, text)."""
        return values_of(self.codec_, self._column(column).name)

    def log_prob(self, table: Any, *, random_state: RandomState = None) -> Any:
        """log p of each row under the model, in nats of the table as given: (n,) (a Series for a DataFrame).

        Whole numbers, dates and categories have probabilities, values without a grid densities. The same
        ``random_state`` gives the same estimate; None uses the model's own.
        """
        self._check_fitted()
        arrow = self.schema_.check(table)
        nats = self._completer.scorer.log_prob(self.codec_.encode(arrow), seed_of(random_state or 0))
        nats = nats + self.codec_.log_density(arrow)
        return pd.Series(nats, index=table.index, name="log_prob") if isinstance(table, pd.DataFrame) else nats

    def augment(
        self,
        table: Any,
        target: str,
        *,
        rows: int | None = None,
        holdout: Any = None,
        random_state: RandomState = None,
    ) -> Augmented:
        """``table`` with synthetic rows below it that balance ``target``, and what a classifier gains by them.

        rows: how many to add; None adds as many as bring every value of the target to the count of the most frequent
        one, for a target without a list of values as many as there are. holdout: real rows that neither the fit nor
        ``table`` saw, on which the gain is measured; None: it is not measured.
        """
        arrow, container = tables.read(table)
        arrow, seed = self.schema_.check(arrow), self._seed(random_state)
        count, shares = missing_shares(self.codec_, arrow, self._column(target), rows)
        made = self._stream(count, seed, None, shares).table(seed, 0, count)
        gain = lift(self.schema_, arrow, made, holdout, target, seed)
        return Augmented(self.schema_.carried_by(container).restore(stacked(arrow, made)), count, gain)

    def save(self, path: str | Path) -> None:
        """Save the model as one file: JSON and arrays, no pickle, no training row."""
        self._check_fitted()
        parameters: dict[str, Any] = {name: _plain(getattr(self, name)) for name in SAVED}
        parameters |= {"budget": vars(self.budget)} if self.budget else {}
        bundle.write(path, saved.parts(self._learned_, parameters), version("synthvae"))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Open a saved model; BundleError where it is damaged, newer than this version, or no model at all."""
        parts = bundle.read(path)
        try:
            learned, parameters = saved.learned(parts)
            parameters |= {"budget": Budget(**parameters["budget"])} if "budget" in parameters else {}
            model = cls(learned.codec.schema, **parameters)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise BundleError(f"{str(path)!r} is not a model of this library, or a damaged one: {error}") from error
        model._keep(learned)
        return model

    def __getstate__(self) -> dict[str, Any]:
        """What copies and workers are given: parameters, and what was learned as a saved model holds it."""
        fitted = saved.parts(self._learned_, {}) if "_learned_" in vars(self) else None
        return {"parameters": self.get_params(deep=False), "parts": fitted}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state["parameters"])
        if state["parts"] is not None:
            self._keep(saved.learned(state["parts"])[0])

    def _check_parameters(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) is not None:
                _whole(name, getattr(self, name))
        _whole("latent_dim", self.latent_dim)
        _nats("latent_nats", self.latent_nats)
        if self.schema is not None and not isinstance(self.schema, Schema):
            raise ParameterError(f"schema must be a synthvae.Schema or None; got a {type(self.schema).__name__}.")
        if self.budget is not None and not isinstance(self.budget, Budget):
            raise ParameterError(f"budget must be a synthvae.Budget or None; got a {type(self.budget).__name__}.")

    def _keep(self, learned: saved.Learned) -> None:
        self._learned_ = learned
        self.schema_, self.history_, self.card_ = learned.codec.schema, learned.history, learned.card
        self.codec_, self.vae_ = learned.codec, learned.vae
        self._completer = Completer(learned.codec, learned.vae, learned.shifts)
        self._latents, self._apart = Latents(self._completer), LeaveOut(self._completer)

    def _check_fitted(self) -> None:
        if "schema_" not in vars(self):
            raise NotFittedError("This Synthesizer is not fitted yet; call fit(table) or synthvae.load(path) first.")

    def _stream(
        self,
        n: int,
        seed: int,
        where: Where | None = None,
        targets: Targets | None = None,
    ) -> RowStream:
        self._check_fitted()
        return stream_of(self._completer, Ask(_whole("n", n, least=0), seed, where, targets))

    def _wishes(self, where: Where) -> dict[str, Wish]:
        return wished(self.schema_, where)

    def _column(self, name: str) -> Column:
        self._check_fitted()
        return column(self.schema_, name)

    def _with_holes(self, table: Any) -> tuple[pa.Table, tables.Container, dict[str, Array]]:
        """A table whose nulls are holes, as Arrow in the schema's order, its kind, and where its holes are."""
        self._check_fitted()
        arrow, container = tables.read(table)
        lawful = self.schema_.check(arrow, holes=True)
        return lawful, container, nulls(lawful)

    def _completed(self, table: Any, n: int | None, targets: object, seed: int) -> Any:
        """Partial rows, their holes drawn."""
        arrow, _, holes = self._with_holes(table)
        if targets is not None or n not in (None, arrow.num_rows):
            raise ParameterError(f"A table of {arrow.num_rows:,} partial rows gives as many; leave n and targets out.")
        index = table.index if isinstance(table, pd.DataFrame) else None
        return self.schema_.restore(drawn(self._completer, arrow, holes, seed), index)

    def _seed(self, random_state: RandomState) -> int:
        return seed_of(self.random_state if random_state is None else random_state)


def _whole(name: str, value: Any, least: int = 1) -> int:
    """A parameter that must be a whole number of at least ``least``."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise ParameterError(f"{name} must be a whole number of at least {least}; got {value!r}.")
    return int(value)


def _nats(name: str, value: Any) -> None:
    """A parameter that must be a finite number of at least 0."""
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not 0 <= value < np.inf:
        raise ParameterError(f"{name} must be a finite number of nats, 0 or more; got {value!r}.")


def _plain(value: float | str | None) -> float | str | None:
    """As JSON can hold it."""
    return value.item() if isinstance(value, np.generic) else value


def load(path: str | Path) -> Synthesizer:
    """Open a saved model; BundleError where it is damaged, newer than this version, or no model at all."""
    return Synthesizer.load(path)
