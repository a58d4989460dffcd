"""A Ray cluster: a task per part. Tasks of a worker that dies are run again elsewhere by Ray."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import islice
from typing import Any

from synthvae.engines.work import Work
from synthvae.errors import EngineError

RETRIES = 5  # of a part whose worker died


def run(work: Work, parts: Sequence[int], workers: int | None) -> Iterator[int]:
    """See ``engines.Run``; on the cluster ``ray.init`` has joined, else the one RAY_ADDRESS names, else a local one.

    Each part takes a CPU; None: as many at once as the cluster has. The folder must be one that all machines see.
    """
    ray = _ray()
    if not ray.is_initialized():
        ray.init(log_to_driver=False, include_dashboard=False)
    sent = ray.put(work)
    task = ray.remote(_do).options(num_cpus=1, max_retries=RETRIES)
    # no more in flight than twice what can run: a million parts are no million pending tasks
    at_once = workers or max(1, 2 * int(ray.cluster_resources().get("CPU", 1)))
    waiting = iter(parts)
    running = [task.remote(sent, part) for part in islice(waiting, at_once)]
    while running:
        done, running = ray.wait(running)
        running += [task.remote(sent, part) for part in islice(waiting, len(done))]
        for each in done:
            try:
                yield ray.get(each)
            except ray.exceptions.WorkerCrashedError as error:
                raise EngineError(f"The worker of a part died {RETRIES + 1} times; it may need more memory.") from error


def _do(work: Work, part: int) -> int:
    return work(part)


def _ray() -> Any:
    try:
        return import_module("ray")
    except ImportError as error:
        raise EngineError("engine='ray' needs Ray: pip install 'synthvae[ray]'.") from error
