"""Every metric there is, found where it is written."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from types import ModuleType

from synthvae.evaluation.base import Family, Metric


def metrics() -> tuple[Metric, ...]:
    """Every metric of every family, by family and name; loads all their libraries."""
    import synthvae.evaluation as room

    found = {metric for module in _modules(room) for metric in _metrics_in(module)}
    families = list(Family)
    return tuple(sorted(found, key=lambda metric: (families.index(metric.family), metric.name, metric.worst)))


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        # what people read, and the tools, hold no metric and load drawing libraries
        if info.name.rpartition(".")[2] in ("report", "profile", "expectations"):
            continue
        module = import_module(info.name)
        yield module
        if info.ispkg:
            yield from _modules(module)


def _metrics_in(module: ModuleType) -> Iterator[Metric]:
    for value in vars(module).values():
        parts = value.values() if isinstance(value, Mapping) else (value,)
        yield from (part for part in parts if isinstance(part, Metric))
