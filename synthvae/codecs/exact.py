"""What a user writes as a number or a moment, exactly: 0.1 means one tenth, text in ISO 8601 a moment."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from synthvae.schema.instants import nanoseconds


def number(value: Any) -> Fraction:
    """A finite number as it is written; ValueError where it is none."""
    if isinstance(value, (bool, np.bool_)):
        raise ValueError("expected a number")
    if isinstance(value, (int, np.integer)):
        return Fraction(int(value))
    if isinstance(value, (float, np.floating)) and np.isfinite(value):
        return Fraction(np.format_float_positional(value, unique=True, trim="-"))
    if isinstance(value, Decimal) and value.is_finite():
        return Fraction(value)
    raise ValueError("expected a number")


def moment(value: Any) -> int:
    """Nanoseconds since 1970 (UTC) of a date, a datetime or ISO 8601 text; ValueError where it is none."""
    if isinstance(value, str):
        return nanoseconds(value)
    try:
        return nanoseconds(pd.Timestamp(value).isoformat())
    except (TypeError, ValueError) as error:
        raise ValueError("expected a date, a datetime or ISO 8601 text") from error


def span(value: Any) -> int:
    """Nanoseconds of a duration, or text such as '2 days 03:00:00'; ValueError where it is none."""
    if isinstance(value, (bool, int, float, np.number)):
        raise ValueError("expected a duration such as '2 days'")
    try:
        return int(pd.Timedelta(value).as_unit("ns").value)
    except (TypeError, ValueError) as error:
        raise ValueError("expected a duration such as '2 days'") from error
