"""The weights of a model: as arrays, and as one vector for the optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from synthvae.backend.kinds import Array, Objective, Tensor
from synthvae.backend.running import keras


def arrays(variables: Sequence[Any]) -> list[Array]:
    """Copies of variables as arrays."""
    return [np.asarray(variable).copy() for variable in variables]


def assign(variables: Sequence[Any], values: Sequence[Any]) -> None:
    """Put arrays back into variables, in the same order."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def scope(variables: Sequence[Any], values: Sequence[Tensor]) -> Any:
    """Within it the variables have these values."""
    return keras.StatelessScope(state_mapping=zip(variables, values, strict=True))


class Flat:
    """All weights of a model as one vector (w,), which the optimizer moves; it starts where the model is.

    A step then has the operations of one weight instead of thirty: it is compiled in half of the time, and steps of
    small batches are not mostly overhead.
    """

    def __init__(self, model: Objective, optimizer: Any) -> None:
        self.weights, self.optimizer = model.trainable_variables, optimizer
        self.shapes = [tuple(weight.shape) for weight in self.weights]
        self.ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes])[:-1].tolist()
        self.vector = keras.Variable(np.concatenate([part.reshape(-1) for part in arrays(self.weights)]), name="flat")
        optimizer.build([self.vector])

    @property
    def variables(self) -> list[Any]:
        """All that steps change."""
        return [self.vector, *self.optimizer.variables]

    def scope(self, vector: Tensor) -> Any:
        """Within it the model has the weights of ``vector``."""
        pieces = keras.ops.split(vector, self.ends)
        shaped = [keras.ops.reshape(piece, shape) for piece, shape in zip(pieces, self.shapes, strict=True)]
        return scope(self.weights, shaped)

    def averages(self) -> list[Array]:
        """What the optimizer's moving average is of each weight."""
        now = np.asarray(self.vector).copy()
        self.optimizer.finalize_variable_values([self.vector])
        pieces = np.split(np.asarray(self.vector).copy(), self.ends)
        self.vector.assign(now)
        return [piece.reshape(shape) for piece, shape in zip(pieces, self.shapes, strict=True)]
