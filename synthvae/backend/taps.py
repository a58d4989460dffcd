"""What makes sure that no weight is left out of the norms of rows' gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synthvae.backend.kinds import Tapping
from synthvae.errors import ParameterError


def check(told: Tapping, variables: Sequence[Any]) -> None:
    """A weight that is used and does not report would be left out of the norms, and the promise would not hold."""
    reported = [id(v) for v in told.weights]
    if sorted(reported) != sorted(id(v) for v in variables):
        raise ParameterError(
            f"Expected each of the {len(variables)} weights to report once; got {len(reported)} reports of "
            f"{len(set(reported))} weights. A layer of its own must report to taps.py."
        )
