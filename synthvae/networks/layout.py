"""What the networks know of a table: how many tokens each block has and what they look like as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Echo:
    """A column whose value may be an earlier column's.

    source, target: the coarse and the fine block of each. tokens: (v_source, v_source_fine, 2) the target's tokens for
    the source's value, -1 where there are none.
    """

    source: tuple[int, int]
    target: tuple[int, int]
    tokens: Array


@dataclass(frozen=True, eq=False)
class Layout:
    """The token slots of a row.

    sizes: v of each block, null included; parents: the block that each one refines, or -1; features: per block
    (v, f), or (v_parent, v, f) for a child; sampleable: per block (v,) booleans; compatible: per block (v_parent, v)
    booleans, or None; echoes: which columns repeat which; plain: how many features, the first ones, are smooth in the
    value.
    """

    sizes: tuple[int, ...]
    parents: tuple[int, ...]
    features: tuple[Array, ...]
    sampleable: tuple[Array, ...]
    compatible: tuple[Array | None, ...]
    echoes: tuple[Echo, ...] = ()
    plain: int = 0

    @property
    def b(self) -> int:
        return len(self.sizes)

    @property
    def v(self) -> int:
        return sum(self.sizes)

    @cached_property
    def refined(self) -> tuple[int, ...]:
        """The blocks that have a child or are one."""
        return tuple(j for j in range(self.b) if self.parents[j] >= 0 or self.children[j] >= 0)

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The blocks as their logits follow one another: whole ones first, then those of a coarse and a fine part."""
        return (*(j for j in range(self.b) if j not in self.refined), *self.refined)

    @cached_property
    def offsets(self) -> Array:
        """(b,) where each block's logits begin."""
        sizes = np.array([self.sizes[j] for j in self.order])
        offsets = np.zeros(self.b, "int32")
        offsets[list(self.order)] = np.cumsum(sizes) - sizes
        return offsets

    @cached_property
    def children(self) -> tuple[int, ...]:
        """The block that refines each one, or -1."""
        return tuple(self.parents.index(j) if j in self.parents else -1 for j in range(self.b))

    @cached_property
    def numeric(self) -> tuple[int, ...]:
        """The blocks that have numeric features."""
        return tuple(j for j, table in enumerate(self.features) if table.shape[-1])

    @cached_property
    def f(self) -> int:
        """Width of the widest numeric features; narrower ones are padded with zeros."""
        return max((self.features[j].shape[-1] for j in self.numeric), default=0)

    @cached_property
    def feature_table(self) -> Array:
        """All numeric features under one another (rows, f); row 0 is zero and stands for an unknown cell."""
        rows = [np.zeros((1, self.f), "float32")]
        for j in self.numeric:
            flat = self.features[j].reshape(-1, self.features[j].shape[-1])
            rows.append(np.pad(flat, ((0, 0), (0, self.f - flat.shape[1]))).astype("float32"))
        return np.concatenate(rows)

    @cached_property
    def feature_offsets(self) -> Array:
        """(numeric blocks,) where each block's rows begin in ``feature_table``."""
        counts = [int(np.prod(self.features[j].shape[:-1])) for j in self.numeric]
        return (1 + np.concatenate([[0], np.cumsum(counts)[:-1]])).astype("int32") if counts else np.zeros(0, "int32")
