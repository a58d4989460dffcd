"""The nearest of many points by matrix products: block by block, on every core.

Nothing is left out and nothing is guessed: with twenty columns and more, trees and grids look at most points anyway.
Each product has one thread and each core its own block of points: threads that share a product wait for each other, and
on a busy machine that took most of the time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from synthvae.evaluation.sides import Array

QUERIES, BLOCK = 256, 2_048  # rows of one matrix product: its result stays in the processor's cache


def nearest(points: Array, base: Array, k: int = 1, barred: Array | None = None) -> tuple[Array, Array]:
    """The k rows of ``base`` (n, d) nearest to each of ``points`` (m, d): distances (m, k), nearest first, and places.

    Blocks are ranked in float32; the distances told are exact. ``barred`` (n,) rows are not looked at. Needs k rows
    that are not barred.
    """
    half = _squares(base) / 2
    if barred is not None:
        half[barred] = np.inf
    places = _shared_out(points, lambda block: _best(block, base, half, k), k)
    distances = np.empty(places.shape)
    for column in range(k):
        distances[:, column] = np.sqrt(_squares(points.astype(np.float64) - base[places[:, column]]))
    order = np.argsort(distances, axis=1, kind="stable")
    return np.take_along_axis(distances, order, 1), np.take_along_axis(places, order, 1)


def nearest_without(points: Array, base: Array, unknown: Sequence[slice]) -> Array:
    """(m, s) places of the rows of ``base`` (n, d) nearest to each of ``points`` (m, d), without each of s coordinates.

    The product of all coordinates is made once; what the unknown ones add to it is taken off.
    """
    half = _squares(base) / 2
    parts = [_with(base[:, place], -_squares(base[:, place]) / 2) for place in unknown]
    return _shared_out(points, lambda block: _best_without(block, base, half, unknown, parts), len(unknown))


def _with(points: Array, last: Array) -> Array:
    """(n, d + 1) points with one coordinate more."""
    return np.concatenate([points, last[:, None].astype(points.dtype)], axis=1)


def _shared_out(points: Array, find: Callable[[Array], Array], width: int) -> Array:
    """(m, width) what is found for all points, a block of them on each core."""
    cores = os.cpu_count() or 1
    if not len(points):
        return np.zeros((0, width), np.int64)
    blocks = np.array_split(points, min(-(-len(points) // (QUERIES * cores)) * cores, len(points)))
    with threadpool_limits(1), ThreadPoolExecutor(cores) as pool:
        return np.concatenate(list(pool.map(find, blocks)))


def _squares(points: Array) -> Array:
    return np.asarray(np.einsum("ij,ij->i", points, points))


def _best(points: Array, base: Array, half: Array, k: int) -> Array:
    """(m, k) places of the largest p.b - |b|^2 / 2, which are the nearest."""
    row = np.arange(len(points))
    places, scores = [], []
    for start in range(0, len(base), BLOCK):
        closeness = points @ base[start : start + BLOCK].T
        closeness -= half[start : start + BLOCK]
        for _ in range(min(k, closeness.shape[1])):
            best = closeness.argmax(axis=1)
            places.append(best + start)
            scores.append(closeness[row, best])
            closeness[row, best] = -np.inf
    found, where = np.stack(scores, axis=1), np.stack(places, axis=1)
    return np.take_along_axis(where, np.argsort(-found, axis=1, kind="stable")[:, :k], 1)


def _best_without(points: Array, base: Array, half: Array, unknown: Sequence[slice], parts: Sequence[Array]) -> Array:
    """(m, s) places of the largest p.b - |b|^2 / 2 over all but the unknown coordinates."""
    row = np.arange(len(points))
    asked = [_with(points[:, place], np.ones(len(points))) for place in unknown]
    scores = np.full((len(unknown), len(points)), -np.inf, np.float32)
    places = np.zeros((len(unknown), len(points)), np.int64)
    for start in range(0, len(base), BLOCK):
        closeness = points @ base[start : start + BLOCK].T
        closeness -= half[start : start + BLOCK]
        for which in range(len(unknown)):
            known = asked[which] @ parts[which][start : start + BLOCK].T
            np.subtract(closeness, known, out=known)
            best = known.argmax(axis=1)
            better = known[row, best] > scores[which]
            scores[which][better] = known[row, best][better]
            places[which][better] = start + best[better]
    return places.T
