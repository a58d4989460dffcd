"""synthvae: learn a table, make a synthetic one.

The public names are resolved on first use, so ``import synthvae`` loads neither TensorFlow nor Great Expectations.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthvae.schema.infer import infer_schema
    from synthvae.schema.schema import Schema
    from synthvae.synthesizer import Synthesizer, load

__version__ = version("synthvae")

_PUBLIC = {
    "Schema": "synthvae.schema.schema",
    "Synthesizer": "synthvae.synthesizer",
    "infer_schema": "synthvae.schema.infer",
    "load": "synthvae.synthesizer",
}
__all__ = ["Schema", "Synthesizer", "infer_schema", "load"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'synthvae' has no attribute {name!r}; it has {__all__}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
