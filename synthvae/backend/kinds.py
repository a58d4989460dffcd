"""What the rest of the house hands to a backend and gets from it."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

Array = np.ndarray[Any, Any]
Tensor = Any
Noise = tuple[Array, ...]


class Objective(Protocol):
    """A model that a ``Loop`` can train."""

    trainable_variables: list[Any]

    def __call__(self, tokens: Tensor, *noise: Tensor) -> tuple[Tensor, Tensor]: ...

    def objective(self, nats: Tensor, kl: Tensor, kl_weight: Tensor) -> Tensor: ...


class Judge(Protocol):
    """Batches over a token matrix that lives on the device.

    rows (s, n) int32 row numbers of s batches; noise: arrays (s, n, ...) for the model. Returned are per-row means over
    all of them: nats per block (b,), KL per dimension (k,).
    """

    def evaluate(self, rows: Array, noise: Noise) -> tuple[Array, Array]: ...


class Loop(Protocol):
    """Runs of steps on the device.

    ``train`` takes and returns what ``Judge.evaluate`` does; rates and kl_weights (s,): learning rate and weight of the
    KL term. The model itself stays as it was: ``variables`` is all that steps change, and ``averages`` what the
    optimizer's moving average is of each weight. ``load`` puts another token matrix of the same shape in the place of
    the one on the device.
    """

    @property
    def variables(self) -> list[Any]: ...

    def load(self, tokens: Array) -> None: ...

    def train(self, rows: Array, noise: Noise, rates: Array, kl_weights: Array) -> tuple[Array, Array]: ...

    def averages(self) -> list[Array]: ...


class Tapping(Protocol):
    """Where layers report what tells the norm of each row's gradient: ``networks.taps.Taps``."""

    outputs: list[Tensor]
    weights: list[Any]

    @property
    def seen(self) -> Any: ...

    def open(self) -> Any: ...


class ClippedSum(Protocol):
    """Gradients of rows, each scaled down to the clip norm where it is longer, times its mask, summed: one array per
    weight; and the norms (n,) they had before."""

    def __call__(self, clip: float, mask: Array, *rows: Array) -> tuple[list[Array], Array]: ...
