"""Many processes, many machines: thin adapters over one ``generate(first row, rows) -> Arrow batches``.

    work.py     what every engine is given: the work on one part, as an object that travels
    here.py     this process, part after part
    local.py    several processes of this machine
    ray.py      a Ray cluster (extra ``ray``)
    spark.py    a Spark cluster, by ``mapInArrow`` (extra ``spark``)

An engine runs the work for every part and says which is done; it knows nothing of models. A worker that dies costs its
part, which is made again, the same rows as before. Imports errors and tables only. To add an engine: a file with a
``run`` like the others, listed in ``ENGINES``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Protocol

from synthvae.engines.work import Work
from synthvae.errors import ParameterError

ENGINES = {None: "here", "local": "local", "ray": "ray", "spark": "spark"}


class Run(Protocol):
    """Does ``work(part)`` for every part, in any order, each at least once; yields the parts as they are done.

    workers: how many at once; None lets the engine decide. EngineError where a part cannot be done.
    """

    def __call__(self, work: Work, parts: Sequence[int], workers: int | None) -> Iterator[int]: ...


def engine(name: str | None) -> Run:
    """The engine of that name; ParameterError where there is none."""
    if name not in ENGINES:
        known = ", ".join(repr(each) for each in ENGINES)
        raise ParameterError(f"engine must be one of {known}; got {name!r}.")
    run: Run = import_module(f"synthvae.engines.{ENGINES[name]}").run
    return run
