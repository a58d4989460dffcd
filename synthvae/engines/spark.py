"""A Spark cluster: a partition per part, by ``mapInArrow``. Tasks of an executor that dies are run again by Spark."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

import pyarrow as pa

from synthvae.engines.work import Work
from synthvae.errors import EngineError

RETRIES = 5  # of a part whose worker died, in a session that is started here
WAVE = 4  # parts per core that are one job, so that a call of many parts tells how far it is


def run(work: Work, parts: Sequence[int], workers: int | None) -> Iterator[int]:
    """See ``engines.Run``; in the active session, else a local one of ``workers`` threads.

    The folder must be one that all executors see; synthvae must be installed there. Parts are told of wave by wave.
    """
    session = _session(workers)
    wave = WAVE * session.sparkContext.defaultParallelism
    for start in range(0, len(parts), wave):
        now = list(parts[start : start + wave])
        places = session.range(0, len(now), 1, len(now))  # a partition for each
        yield from (row.part for row in places.mapInArrow(_task(work, now), "part long").collect())


def _task(work: Work, parts: list[int]) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def do(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            made = [work(parts[place]) for place in batch.column(0).to_pylist()]
            yield pa.RecordBatch.from_pydict({"part": pa.array(made, pa.int64())})

    return do


def _session(workers: int | None) -> Any:
    try:
        sql = import_module("pyspark.sql")
    except ImportError as error:
        raise EngineError("engine='spark' needs Spark: pip install 'synthvae[spark]', and Java 17.") from error
    active = sql.SparkSession.getActiveSession()
    if active is not None:
        return active
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # a local session has the packages of this one
    # a local master gives up at a task's first failure unless told otherwise
    master = f"local[{workers or '*'},{RETRIES + 1}]"
    builder = sql.SparkSession.builder.appName("synthvae").config("spark.ui.enabled", "false")
    return builder.master(master).getOrCreate()
