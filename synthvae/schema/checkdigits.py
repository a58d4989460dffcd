"""Check digits: the digit at the end of a number that tells a slip of the pen from the number meant."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def luhn(digits: Array) -> Array:
    """(n,) the last digit of payment cards and IMEIs for the digits (n, k) before it; ISO/IEC 7812-1, Annex B."""
    doubled = digits[:, ::-1].astype(np.int64)
    doubled[:, ::2] *= 2
    return np.asarray(-(doubled // 10 + doubled % 10).sum(axis=1) % 10)


def ean(digits: Array) -> Array:
    """(n,) the last digit of EAN-13, EAN-8, UPC-A and ISBN-13 for the digits (n, k) before it; GS1, weights 3 and 1."""
    weights = np.where(np.arange(digits.shape[1])[::-1] % 2 == 0, 3, 1)
    return np.asarray(-(digits.astype(np.int64) @ weights) % 10)


def mod97(values: Array) -> Array:
    """(n,) the two check digits, as a number, of values (n, k) 0..35 (digits, then letters) after which they stand.

    ISO 7064, MOD 97-10: for an IBAN the values are those of the account, then of the country.
    """
    rest = np.zeros(len(values), np.int64)
    for column in values.T.astype(np.int64):
        rest = (rest * np.where(column > 9, 100, 10) + column) % 97
    return np.asarray(98 - rest * 100 % 97)


# By name, the digit of the digits before it.
SCHEMES = {"luhn": luhn, "ean": ean}
