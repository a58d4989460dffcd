"""Several processes of this machine; where one dies, the parts that are not done are given to new ones."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool

from synthvae.engines.work import Work
from synthvae.errors import EngineError

MOST_LOSSES = 5  # times in a row that workers may die before a part is done: then it is no accident

_work: list[Work] = []  # of a worker: sent once, not with every part


def run(work: Work, parts: Sequence[int], workers: int | None) -> Iterator[int]:
    """See ``engines.Run``; None: a process per core. The script that calls it needs ``if __name__ == "__main__"``."""
    cores = os.cpu_count() or 1
    left, losses = set(parts), 0
    while left:
        count = min(workers or cores, len(left))
        pool = ProcessPoolExecutor(
            count,
            multiprocessing.get_context("spawn"),  # a forked TensorFlow hangs
            initializer=_begin,
            initargs=(work, max(1, cores // count)),
        )
        try:
            for done in as_completed([pool.submit(_do, part) for part in sorted(left)]):
                part = done.result()
                left.remove(part)
                losses = 0
                yield part
        except BrokenProcessPool as error:
            losses += 1
            if losses == MOST_LOSSES:
                raise EngineError(
                    f"Worker processes died {losses} times before they finished any of {len(left)} parts: perhaps for "
                    "want of memory (fewer workers, or fewer rows per part, need less), perhaps because the calling "
                    'script lacks its if __name__ == "__main__".'
                ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _begin(work: Work, threads: int) -> None:
    """Set a worker up before it loads TensorFlow: its share of the cores, and no life without its parent."""
    for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, str(threads))
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # several share one GPU
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _work[:] = [work]


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(part: int) -> int:
    return _work[0](part)
