"""Rows of a model to files: one file, or a folder of parts that any engine makes on any number of machines."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa

from synthvae import bundle, saved, tables
from synthvae.asking import Ask, stream_of
from synthvae.engines import engine
from synthvae.engines.work import Cut, Work
from synthvae.errors import ParameterError, SynthvaeWarning
from synthvae.generation.stream import Completer, RowStream
from synthvae.schema.constraints import Predicate, Unique
from synthvae.tables.parts import PartFolder

BATCH_ROWS = 65536  # rows in memory at once, and of a row group
PART_ROWS = 4 * BATCH_ROWS  # of a part unless told: seconds to make, so that a lost worker costs little
Heard = Callable[[int], None] | None


@dataclass(frozen=True)
class Layout:
    """How a call's rows are spread over files and workers; see ``Synthesizer.write``."""

    engine: str | None = None
    parts: int | None = None
    rows_per_part: int | None = None
    workers: int | None = None
    resume: bool = False

    @property
    def one_file(self) -> bool:
        """Whether nothing asks for a folder."""
        return self == Layout()

    def cut(self, rows: int, before: str | None) -> Cut:
        """The parts of so many rows; before: rows per part of the call that is gone on with."""
        if self.parts is not None and self.rows_per_part is not None:
            raise ParameterError("Expected parts or rows_per_part. Received: both; leave one of them out.")
        for name in ("parts", "rows_per_part", "workers"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ParameterError(f"{name} must be a whole number of at least 1; got {value!r}.")
        if self.parts is not None:
            return Cut(rows, max(1, -(-rows // self.parts)))
        return Cut(rows, self.rows_per_part or int(before or PART_ROWS))


@dataclass(frozen=True)
class Recipe:
    """What a worker needs to make any rows of a call: ``recipe(first, rows)`` -> batches.

    key: tells recipes apart, so that a worker opens the model once, whatever number of parts it is given.
    """

    key: str
    ask: Ask = field(compare=False)
    model: bundle.Parts = field(compare=False, repr=False)

    def __call__(self, first: int, rows: int) -> Iterator[pa.RecordBatch]:
        return _opened(self).batches(self.ask.seed, rows, BATCH_ROWS, first)


@lru_cache(maxsize=1)
def _opened(recipe: Recipe) -> RowStream:
    """The stream of a recipe in this process; what it warns of, the caller was told."""
    with _untold():
        learned, _ = saved.learned(recipe.model)
        return stream_of(Completer(learned.codec, learned.vae, learned.shifts), recipe.ask)


@contextmanager
def _untold() -> Iterator[None]:
    """What would be said twice, or to nobody, is not said."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SynthvaeWarning)
        yield


def write_file(learned: saved.Learned, stream: RowStream, ask: Ask, path: str | Path, progress: Heard) -> None:
    """All rows into one Parquet or CSV file; see ``tables.write``."""
    batches = _counted(stream.batches(ask.seed, ask.rows, BATCH_ROWS), progress)
    tables.write(batches, Path(path), stream.table(ask.seed, 0, 0).schema, provenance(learned, ask.seed))


def write_parts(
    learned: saved.Learned, stream: RowStream, ask: Ask, path: str | Path, layout: Layout, progress: Heard
) -> None:
    """All rows into a folder of parts, whichever engine makes them; see ``Synthesizer.write``.

    ParameterError where the schema has rules that parts made apart cannot keep.
    """
    run, folder = engine(layout.engine), PartFolder.at(path)
    _check_apart(learned, travels=layout.engine is not None)
    held = folder.manifest()
    cut = layout.cut(ask.rows, held["job"].get("rows_per_part") if held and layout.resume else None)
    with _untold():  # functions that a bundle leaves out stay in this process
        model = saved.parts(learned, {})
    job = _job(model, ask, cut)
    folder.start(job, layout.resume)
    left = folder.missing({part: cut.span(part)[1] for part in cut.parts}, job)
    if progress:
        progress(ask.rows - sum(cut.span(part)[1] for part in left))
    recipe = Recipe(hashlib.sha256(json.dumps(job).encode()).hexdigest(), ask, model)
    generate = recipe if layout.engine else (lambda first, rows: stream.batches(ask.seed, rows, BATCH_ROWS, first))
    notes = provenance(learned, ask.seed) | folder.notes(job)
    work = Work(generate, cut, folder, stream.table(ask.seed, 0, 0).schema, notes)
    for part in run(work, left, layout.workers) if left else ():
        if progress:
            progress(cut.span(part)[1])
    folder.finish(job)


def seed_before(path: str | Path) -> int | None:
    """The seed of the call that wrote a folder of parts; None where there was none."""
    held = PartFolder.at(path).manifest()
    return int(held["job"]["seed"]) if held and held["job"].get("seed", "").isdigit() else None


def provenance(learned: saved.Learned, seed: int) -> dict[str, str]:
    """What every file says of its rows."""
    generator, promise = f"synthvae {version('synthvae')}", learned.card.get("privacy", {}).get("promise")
    return {"synthetic": "true", "generator": generator, "seed": str(seed), "budget": promise or "none"}


def _job(model: bundle.Parts, ask: Ask, cut: Cut) -> dict[str, str]:
    """What tells one call from another: same job, same rows."""
    return {
        "model": _digest(model),
        "rows": str(ask.rows),
        "rows_per_part": str(cut.rows_per_part),
        "seed": str(ask.seed),
        "where": repr(ask.where),
        "targets": repr(ask.targets),
    }


def _digest(model: bundle.Parts) -> str:
    """A hash of what decides a model's rows: not how long its fit took."""
    told = {name: model.documents[name] for name in ("schema", "codecs", "network")}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for name, array in sorted(model.arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _check_apart(learned: saved.Learned, travels: bool) -> None:
    """ParameterError where rows made apart could break a rule of the schema."""
    rules = learned.codec.schema.constraints
    if any(isinstance(rule, Unique) for rule in rules):
        raise ParameterError(
            "The schema wants rows to differ (Unique), which holds within one call only: parts made apart cannot keep "
            "it. Write one file, or drop the rule: schema.without_constraints(rule)."
        )
    if travels and any(isinstance(rule, Predicate) and rule.function for rule in rules):
        raise ParameterError(
            "The schema has predicates, and their functions do not travel to other processes. Write with engine=None."
        )


def _counted(batches: Iterator[pa.RecordBatch], progress: Heard) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch
        if progress:
            progress(batch.num_rows)
