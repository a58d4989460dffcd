"""Instants as whole numbers since 1970 and as ISO 8601 text, exact from days to nanoseconds."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

# Nanoseconds in a step of each resolution, coarsest first.
STEP: dict[str, int] = {
    "D": 86_400 * 10**9,
    "h": 3_600 * 10**9,
    "min": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 10**3,
    "ns": 1,
}
_NUMPY_UNIT = {"min": "m"}
_RESOLUTION = {"m": "min"}


def unit(type_: pa.DataType) -> str:
    """The resolution in which Arrow counts a date, a timestamp, a time of day or a duration."""
    if pt.is_date32(type_):
        return "D"
    return "ms" if pt.is_date64(type_) else str(type_.unit)


def counts(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Moments as int64 numbers of their own unit since 1970 (UTC where they carry a zone) or since midnight."""
    if pt.is_date32(values.type) or pt.is_time32(values.type):
        return values.cast(pa.int32()).cast(pa.int64())
    return values.cast(pa.int64())


def to_iso(count: int, resolution: str, zoned: bool) -> str:
    """ISO 8601 text of a number of ``resolution`` steps since 1970; instants of a zone end in Z."""
    moment: Any = np.array(count, f"datetime64[{_NUMPY_UNIT.get(resolution, resolution)}]")
    return f"{moment}Z" if zoned and resolution != "D" else str(moment)


def to_clock(count: int, resolution: str) -> str:
    """The time of day of a number of ``resolution`` steps since midnight; the end of the day is 24:00."""
    nanos = count * STEP[resolution]
    if nanos >= STEP["D"]:
        return "24:00"
    finer = "min" if nanos % STEP["min"] == 0 else resolution
    return to_iso(nanos // STEP[finer], finer, False).partition("T")[2]


def nanoseconds(text: str) -> int:
    """Nanoseconds since 1970 (or since midnight) of ISO 8601 text, unbounded; ValueError where it is none."""
    if re.fullmatch(r"\d\d:\d\d.*", text):
        return STEP["D"] if text == "24:00" else nanoseconds(f"1970-01-01T{text}")
    match = re.fullmatch(
        r"((?:\d{4,12}|[+-]\d{3,12})-\d\d-\d\d(?:[T ]\d\d(?::\d\d(?::\d\d(?:\.\d{1,9})?)?)?)?)(Z|[+-]\d\d:?\d\d)?", text
    )
    if not match:
        raise ValueError(f"Expected ISO 8601 text such as '2026-01-31' or '2026-01-31T12:00:00'. Received: {text!r}")
    moment: Any = np.datetime64(match[1])
    resolution = str(np.datetime_data(moment.dtype)[0])
    offset = 0
    if match[2] and match[2] != "Z":
        minutes = int(match[2][1:3]) * 60 + int(match[2][-2:])
        offset = (minutes if match[2][0] == "+" else -minutes) * STEP["min"]
    return int(moment.astype(np.int64)) * STEP[_RESOLUTION.get(resolution, resolution)] - offset
