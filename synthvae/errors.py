"""Every error and warning the library raises on purpose.

One root, so that ``except synthvae.errors.SynthvaeError`` catches what is ours and nothing else. A message says
what was expected, what came (column, value, count, first row) and what to do; it never shows the content of an
identifier or text column. All problems of one kind are listed at once.
"""

from __future__ import annotations

from collections.abc import Sequence


class SynthvaeError(Exception):
    """Root of all errors raised by synthvae."""


class TableError(SynthvaeError, ValueError):
    """The thing handed in cannot be read as a table, or holds what no table may hold."""


class SchemaError(SynthvaeError, ValueError):
    """A schema is not well formed, or a table does not obey it. ``problems`` lists every finding."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        self.problems = tuple(problems)
        lines = "".join(f"\n  - {problem}" for problem in self.problems)
        super().__init__(f"{message}{lines}")


class ParameterError(SynthvaeError, ValueError):
    """An argument is outside what it may be."""


class ConditionError(ParameterError):
    """A condition names what the table has not, or cannot be met; ``problems`` lists every finding."""

    def __init__(self, message: str, problems: Sequence[str] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{message}{''.join(f'{chr(10)}  - {problem}' for problem in self.problems)}")


class NotFittedError(SynthvaeError, RuntimeError):
    """A fitted model is needed."""


class TrainingError(SynthvaeError, RuntimeError):
    """The fit cannot go on: a loss that is not a number, a checkpoint of another table."""


class BudgetError(SynthvaeError, RuntimeError):
    """Rows under a budget were to be read without paying, or beyond what the budget covers."""


class BundleError(SynthvaeError, ValueError):
    """A saved model is damaged, too new, or not a saved model."""


class OutputError(SynthvaeError, OSError):
    """A file cannot be written; nothing is left under its name."""


class EngineError(SynthvaeError, RuntimeError):
    """An engine is not installed, or its workers cannot finish; what they finished stays and can be gone on with."""


class SynthvaeWarning(UserWarning):
    """Root of all warnings: the work goes on, and the reader should know something about it."""


class CollapseWarning(SynthvaeWarning):
    """The latent carries (almost) nothing."""
