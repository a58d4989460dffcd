"""Synthesizer: puts the rooms together and decides nothing itself."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import BaseEstimator

from synthvae import backend, bundle, card, tables
from synthvae.codecs.features import PLAIN
from synthvae.codecs.table import TableCodec
from synthvae.errors import BundleError, CollapseWarning, NotFittedError, ParameterError, SynthvaeWarning, TableError
from synthvae.generation.calibrate import calibrate, frequencies, shift_shapes
from synthvae.generation.noise import seed_of
from synthvae.generation.stream import RowStream
from synthvae.networks.layout import Array, Echo, Layout
from synthvae.networks.vae import VAE, NetworkConfig
from synthvae.schema.columns import Text
from synthvae.schema.infer import infer_schema
from synthvae.schema.schema import Schema
from synthvae.training import estimate, schedules, trainer
from synthvae.training.split import split

log = logging.getLogger("synthvae")
ENOUGH_STEPS = 200  # a shorter fit has not learned a latent yet, so it cannot have lost it
COLLAPSED_NATS = 0.5  # a latent that carries less than this is no use to any tool


class Synthesizer(BaseEstimator):
    """Learns a table and makes synthetic ones.

    schema: what the columns mean; None infers it. epochs, batch_size: None lets the table's size decide (early
    stopping may end sooner). latent_dim: dimensions of the latent. random_state: the seed of fit, and of ``sample``
    where that is given none; None draws one from the operating system.

    Learned: ``schema_``, ``history_`` (a row per evaluated epoch, losses in nats per row), ``card_`` (its facts).

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
        epochs: int | None = None,
        batch_size: int | None = None,
        latent_dim: int = 16,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        self.schema = schema
        self.epochs = epochs
        self.batch_size = batch_size
        self.latent_dim = latent_dim
        self.random_state = random_state

    def fit(
        self,
        table: Any,
        validation: Any = None,
        *,
        progress: Callable[[trainer.Progress], None] | None = None,
        checkpoint: str | Path | None = None,
    ) -> Self:
        """Learn a table: a DataFrame, an Arrow table, dataset or reader, a polars frame, or path(s) of Parquet or CSV.

        validation: rows held out for early stopping; None holds out a twentieth of ``table`` (whole groups where the
        schema has a group). progress: called several times an epoch. checkpoint: a file from which a killed fit
        resumes. Ctrl-C keeps the best weights so far. Raises TableError, SchemaError, TrainingError.
        """
        self._check_parameters()
        seed = seed_of(self.random_state)
        arrow, schema = self._lawful(table)
        codec = TableCodec.fit(schema, arrow)
        _say_folded(codec)
        layout = layout_of(codec)
        parts = self._parts(arrow, codec, validation, seed)
        tokens, held_out = (part.astype(estimate.token_type(layout)) for part in parts)
        vae, plan = self._networks(layout, tokens, seed)
        cost = estimate.estimate(vae, plan)
        log.info("%s", cost)
        fit = trainer.Trainer(vae, plan, seed, Path(checkpoint) if checkpoint else None)
        outcome = fit.fit(tokens, held_out, progress)
        counts = frequencies(layout, np.concatenate([tokens, held_out]))
        shifts = calibrate(vae, range(layout.b), counts, schema.min_count, seed)
        facts = card.facts(arrow, codec, plan, outcome, cost, seed)
        self._learned(codec, vae, shifts, card.history(codec, outcome), facts)
        self._warn(outcome)
        return self

    def sample(self, n: int, *, random_state: int | np.random.Generator | None = None) -> Any:
        """``n`` synthetic rows: columns, order, dtypes and kind of table as fitted.

        The first rows of a larger sample of the same ``random_state`` are the rows of a smaller one.
        """
        stream = self._stream(n)
        table = stream.table(self._seed(random_state), 0, n)
        return self.schema_.restore(table)

    def stream(
        self, n: int, *, batch_rows: int = 65536, random_state: int | np.random.Generator | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of ``sample(n)`` as Arrow record batches, in constant memory."""
        return self._stream(n).batches(self._seed(random_state), n, _whole("batch_rows", batch_rows))

    def write(
        self,
        path: str | Path,
        n: int,
        *,
        random_state: int | np.random.Generator | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Write the rows of ``sample(n)`` to Parquet or CSV, with provenance; ``progress`` hears each batch's rows."""
        seed = self._seed(random_state)
        batches = self._stream(n).batches(seed, n, 65536)
        schema = self._stream(0).table(seed, 0, 0).schema
        tables.write(_counted(batches, progress), Path(path), schema, self._provenance(seed))

    def save(self, path: str | Path) -> None:
        """Save the model as one file: JSON and arrays, no pickle, no training row."""
        self._check_fitted()
        codec_state, codec_arrays = self.codec_.state()
        weights = {f"weight_{i:03d}": w for i, w in enumerate(backend.arrays(self.vae_.trainable_variables))}
        history = {"columns": list(self.history_.columns), "rows": self.history_.astype(float).to_numpy().tolist()}
        documents = {
            "schema": json.loads(self.schema_.to_json()),
            "codecs": codec_state,
            "network": vars(self.vae_.settings) | {"weights": [v.path for v in self.vae_.trainable_variables]},
            "parameters": {name: _plain(getattr(self, name)) for name in ("epochs", "batch_size", "latent_dim")},
            "history": history,
            "card": self.card_,
        }
        arrays = weights | {f"shift_{i:03d}": shift for i, shift in enumerate(self.shifts_)}
        arrays |= {f"codec_{name}": array for name, array in codec_arrays.items()}
        bundle.write(path, bundle.Parts(documents, arrays), version("synthvae"))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Open a saved model; BundleError where it is damaged, newer than this version, or no model at all."""
        parts = bundle.read(path)
        try:
            return cls._from_parts(parts)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise BundleError(f"{str(path)!r} is not a model of this library, or a damaged one: {error}") from error

    @classmethod
    def _from_parts(cls, parts: bundle.Parts) -> Self:
        documents = parts.documents
        schema = Schema.from_json(json.dumps(documents["schema"]))
        arrays = {n.removeprefix("codec_"): a for n, a in parts.arrays.items() if n.startswith("codec_")}
        codec = TableCodec.from_state(schema, (documents["codecs"], arrays))
        settings = {k: v for k, v in documents["network"].items() if k != "weights"}
        vae = VAE(layout_of(codec), NetworkConfig(**settings), np.random.default_rng(0))
        weights, shifts = (_series(parts, name) for name in ("weight_", "shift_"))
        expected = [tuple(v.shape) for v in vae.trainable_variables] + shift_shapes(vae.layout)
        if expected != [a.shape for a in weights + shifts] or any(a.dtype != np.float32 for a in weights + shifts):
            raise BundleError("the weights do not fit the schema and network it describes")
        backend.assign(vae.trainable_variables, weights)
        history = pd.DataFrame(documents["history"]["rows"], columns=documents["history"]["columns"])
        model = cls(schema, **documents["parameters"])
        model._learned(codec, vae, shifts, history, documents["card"])
        return model

    def _check_parameters(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) is not None:
                _whole(name, getattr(self, name))
        _whole("latent_dim", self.latent_dim)
        if self.schema is not None and not isinstance(self.schema, Schema):
            raise ParameterError(f"schema must be a synthvae.Schema or None; got a {type(self.schema).__name__}.")

    def _lawful(self, table: Any) -> tuple[pa.Table, Schema]:
        """The table as Arrow, in the order and types of its schema."""
        arrow, container = tables.read(table)
        schema = self.schema or infer_schema(arrow)
        return schema.check(arrow), schema.carried_by(container)

    def _parts(self, table: pa.Table, codec: TableCodec, validation: Any, seed: int) -> tuple[Array, Array]:
        """Tokens of the rows to learn from and of those to judge by."""
        tokens, group = codec.encode(table), codec.schema.group
        if validation is not None:
            return tokens, codec.encode(codec.schema.check(validation))
        number = f"row of {group}"  # so never the name of the group itself
        owners = {} if group is None else {group: tables.plain(table[group])}
        rows = pa.table({number: np.arange(len(tokens)), **owners})
        learn, judge = (part[number].to_numpy() for part in split(rows, group, seed))
        if not len(learn):
            what = "rows" if group is None else f"groups (different values of {group!r})"
            raise TableError(f"Expected at least 2 {what}, one to learn from and one to judge by. Got 1.")
        return tokens[learn], tokens[judge]

    def _networks(self, layout: Layout, tokens: Array, seed: int) -> tuple[VAE, schedules.Plan]:
        varies = bool((tokens != tokens[0]).any())  # where all rows are the same, one look is enough
        plan = schedules.plan(len(tokens), self.epochs if varies else 1, self.batch_size, layout.b)
        config = NetworkConfig.suited(len(tokens), layout.b, int(self.latent_dim))
        return VAE(layout, config, np.random.default_rng([seed, 0])), plan

    def _learned(
        self, codec: TableCodec, vae: VAE, shifts: list[Array], history: pd.DataFrame, card: dict[str, Any]
    ) -> None:
        self.schema_, self.codec_, self.vae_, self.shifts_ = codec.schema, codec, vae, shifts
        self.history_, self.card_ = history, card
        self._rows: RowStream | None = None

    def _warn(self, outcome: trainer.Outcome) -> None:
        """Say what the user should know: an interrupted fit, a collapsed latent."""
        if outcome.ended == "interrupted":
            warnings.warn(
                f"The fit was interrupted; the weights of epoch {outcome.best + 1} are kept.",
                SynthvaeWarning,
                stacklevel=3,
            )
        rate = self.card_["latent_nats"]
        if rate < COLLAPSED_NATS and self.card_["steps"] >= ENOUGH_STEPS:
            warnings.warn(
                f"The latent carries {rate:.2f} nats per row: it has collapsed, latent tools say nothing. The "
                "columns may be independent or few; else train longer (epochs) or in smaller batches (batch_size).",
                CollapseWarning,
                stacklevel=3,
            )

    def _check_fitted(self) -> None:
        if "schema_" not in vars(self):
            raise NotFittedError("This Synthesizer is not fitted yet; call fit(table) or synthvae.load(path) first.")

    def _stream(self, n: int) -> RowStream:
        self._check_fitted()
        self.codec_.check_room(_whole("n", n, least=0))
        if self._rows is None:
            self._rows = RowStream(self.codec_, self.vae_, self.shifts_)
        return self._rows

    def _seed(self, random_state: int | np.random.Generator | None) -> int:
        return seed_of(self.random_state if random_state is None else random_state)

    def _provenance(self, seed: int) -> dict[str, str]:
        return {
            "synthetic": "true",
            "generator": f"synthvae {version('synthvae')}",
            "seed": str(seed),
            "budget": "none",
        }


def layout_of(codec: TableCodec) -> Layout:
    """What the networks need to know of the codec's blocks; a child refines the block before it."""
    return Layout(
        sizes=tuple(block.size for block in codec.blocks),
        parents=tuple(j - 1 if block.child else -1 for j, block in enumerate(codec.blocks)),
        features=tuple(block.features for block in codec.blocks),
        sampleable=tuple(block.sampleable for block in codec.blocks),
        compatible=tuple(block.compatible for block in codec.blocks),
        echoes=tuple(Echo(codec.pair(e.source), codec.pair(e.target), e.tokens) for e in codec.echoes),
        plain=PLAIN,
    )


def _whole(name: str, value: Any, least: int = 1) -> int:
    """A parameter that must be a whole number of at least ``least``."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise ParameterError(f"{name} must be a whole number of at least {least}; got {value!r}.")
    return int(value)


def _say_folded(codec: TableCodec) -> None:
    """Tell what will not come back: content of text aloud, folded values for whoever listens."""
    for name, report in codec.reports.items():
        for note in report.notes:
            log.log(logging.WARNING if codec.schema[name].kind == Text.kind else logging.INFO, "%s: %s", name, note)


def _series(parts: bundle.Parts, prefix: str) -> list[Array]:
    """The numbered arrays of a bundle whose names begin with ``prefix``, in order."""
    return [array for name, array in sorted(parts.arrays.items()) if name.startswith(prefix)]


def _plain(value: int | None) -> int | None:
    """As JSON can hold it."""
    return None if value is None else int(value)


def _counted(batches: Iterator[pa.RecordBatch], progress: Callable[[int], None] | None) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch
        if progress:
            progress(batch.num_rows)


def load(path: str | Path) -> Synthesizer:
    """Open a saved model; BundleError where it is damaged, newer than this version, or no model at all."""
    return Synthesizer.load(path)
