"""synthvae: learn a table, make a synthetic one, judge any.

The public names are resolved on first use, so ``import synthvae`` loads neither TensorFlow nor Great Expectations.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthvae.evaluation.evaluate import evaluate
    from synthvae.evaluation.expectations import expectation_suite
    from synthvae.evaluation.profile import profile
    from synthvae.privacy.budget import Budget
    from synthvae.schema.conditions import NOT_NULL, NULL, Between, NoneOf, OneOf
    from synthvae.schema.constraints import (
        Derived,
        FixedCombinations,
        FunctionalDependency,
        Inequality,
        NullWhen,
        OneHot,
        Predicate,
        Sum,
        Unique,
    )
    from synthvae.schema.infer import infer_schema
    from synthvae.schema.schema import Schema
    from synthvae.sklearn import LatentTransformer
    from synthvae.synthesizer import Synthesizer, load

__version__ = version("synthvae")

_PUBLIC = {
    "Between": "synthvae.schema.conditions",
    "Budget": "synthvae.privacy.budget",
    "LatentTransformer": "synthvae.sklearn",
    "NOT_NULL": "synthvae.schema.conditions",
    "NULL": "synthvae.schema.conditions",
    "NoneOf": "synthvae.schema.conditions",
    "OneOf": "synthvae.schema.conditions",
    "Derived": "synthvae.schema.constraints",
    "FixedCombinations": "synthvae.schema.constraints",
    "FunctionalDependency": "synthvae.schema.constraints",
    "Inequality": "synthvae.schema.constraints",
    "NullWhen": "synthvae.schema.constraints",
    "OneHot": "synthvae.schema.constraints",
    "Predicate": "synthvae.schema.constraints",
    "Schema": "synthvae.schema.schema",
    "Sum": "synthvae.schema.constraints",
    "Synthesizer": "synthvae.synthesizer",
    "Unique": "synthvae.schema.constraints",
    "evaluate": "synthvae.evaluation.evaluate",
    "expectation_suite": "synthvae.evaluation.expectations",
    "infer_schema": "synthvae.schema.infer",
    "load": "synthvae.synthesizer",
    "profile": "synthvae.evaluation.profile",
}
__all__ = [
    "NOT_NULL",
    "NULL",
    "Between",
    "Budget",
    "Derived",
    "FixedCombinations",
    "FunctionalDependency",
    "Inequality",
    "LatentTransformer",
    "NoneOf",
    "NullWhen",
    "OneHot",
    "OneOf",
    "Predicate",
    "Schema",
    "Sum",
    "Synthesizer",
    "Unique",
    "evaluate",
    "expectation_suite",
    "infer_schema",
    "load",
    "profile",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'synthvae' has no attribute {name!r}; it has {__all__}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
