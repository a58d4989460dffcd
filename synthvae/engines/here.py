"""This process, part after part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synthvae.engines.work import Work


def run(work: Work, parts: Sequence[int], workers: int | None) -> Iterator[int]:
    """See ``engines.Run``; there is one worker, whatever is wished."""
    yield from map(work, parts)
