"""Counter-based randomness: a number is a pure function of a key and a row, whatever else is drawn.

The mixing function is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
generators", 2014), which passes BigCrush on consecutive counters.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import numpy as np

from synthvae.codecs.base import FloatArray, IntArray

UIntArray = np.ndarray[Any, np.dtype[np.uint64]]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
# Four Feistel rounds make a strong pseudorandom permutation (Luby and Rackoff, 1988); small halves need more.
ROUNDS = 8


def key_of(*parts: object) -> int:
    """A 64-bit key from a seed of any size and whatever tells this use from others."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def mix(words: UIntArray) -> UIntArray:
    """A bijection of 64 bits under which neighbours look unrelated."""
    words = words + GOLDEN
    words ^= words >> np.uint64(30)
    words *= FIRST
    words ^= words >> np.uint64(27)
    words *= SECOND
    words ^= words >> np.uint64(31)
    return words


def uniforms(key: int, rows: IntArray) -> FloatArray:
    """Row numbers (n,) -> (n,) float64 in [0, 1), with 53 bits."""
    words = mix(rows.astype(np.int64).view(np.uint64) ^ np.uint64(key))
    words = mix(words ^ np.uint64(key_of(key, "second")))
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def permute(key: int, numbers: IntArray, space: int) -> UIntArray:
    """A keyed permutation of 0 .. space - 1 (at most 2^62), applied to numbers (n,).

    Feistel rounds permute the smallest power of two that holds the space; what lands outside it is permuted again.
    """
    bits = max((space - 1).bit_length(), 1)
    keys = [np.uint64(key_of(key, "round", index)) for index in range(ROUNDS)]
    found = _feistel(numbers.astype(np.int64).view(np.uint64), bits, keys)
    outside = np.flatnonzero(found >= np.uint64(space))
    while len(outside):
        found[outside] = _feistel(found[outside], bits, keys)
        outside = outside[found[outside] >= np.uint64(space)]
    return found


def _feistel(numbers: UIntArray, bits: int, keys: list[np.uint64]) -> UIntArray:
    low_bits = np.uint64(bits - bits // 2)
    low_mask, high_mask = (np.uint64((1 << width) - 1) for width in (bits - bits // 2, bits // 2))
    high, low = numbers >> low_bits, numbers & low_mask
    for even, odd in zip(keys[::2], keys[1::2], strict=True):
        low ^= mix(high ^ even) & low_mask
        high ^= mix(low ^ odd) & high_mask
    return (high << low_bits) | low


def halves(uniforms: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two independent uniforms (n,) of 26 bits out of one of 53."""
    scaled = uniforms * 2.0**26
    first = np.floor(scaled)
    return first * 2.0**-26, scaled - first
