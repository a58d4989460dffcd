"""How long the gradient of each row is, without the gradients of rows.

A weight matters to a row only through what a layer puts out. With a (n, in) what went into the layer and g (n, out)
the derivative of the row's loss by what came out,

    linear a W + b      |grad_i|^2 = |g_i|^2 (|a_i|^2 + 1)
    looked-up vectors   |grad_i|^2 = |g_i|^2                        (no row looks one vector up twice)
    scale and offset    |grad_i|^2 = |g_i * a_i|^2 + |g_i|^2        (a: normalised)

(Goodfellow 2015; Li et al. 2022, "ghost clipping"). While ``Taps`` is open, every layer with weights reports here, and
adds what it is ``given`` to what it puts out, so that derivatives can be taken by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from keras import ops

Tensor = Any  # a tensor of the backend in use

_OPEN: ContextVar[Taps | None] = ContextVar("taps", default=None)


class Taps:
    """What the layers reported, in the order in which they ran. given: a tensor to add to each output, or nothing."""

    def __init__(self, given: Sequence[Tensor] | None = None) -> None:
        self.given = given
        self.outputs: list[Tensor] = []
        self.squares: list[Tensor] = []  # (n,) or nothing (None): what |g_i|^2 is to be multiplied by
        self.inside: list[Tensor] = []  # (n, out) or nothing: what g_i is to be multiplied by before
        self.weights: list[Any] = []

    @contextmanager
    def open(self) -> Iterator[Taps]:
        """Let the layers report here."""
        token = _OPEN.set(self)
        try:
            yield self
        finally:
            _OPEN.reset(token)

    @property
    def seen(self) -> tuple[list[Tensor], list[Tensor]]:
        """What ``square_norms`` needs besides the derivatives."""
        return self.squares, self.inside

    def report(self, output: Tensor, weights: Sequence[Any], square: Tensor, inside: Tensor) -> Tensor:
        """Take a report; returns the output with what was given."""
        if self.given is not None:
            output = output + self.given[len(self.outputs)]
        self.outputs.append(output)
        self.squares.append(square)
        self.inside.append(inside)
        self.weights += weights
        return output


def square_norms(seen: tuple[list[Tensor], list[Tensor]], derivatives: Sequence[Tensor]) -> Tensor:
    """(n,) the squared norm of each row's gradient by all weights that were reported."""
    total: Tensor = 0.0
    for square, inside, g in zip(*seen, derivatives, strict=True):
        flat = ops.reshape(g, (ops.shape(g)[0], -1))
        own = ops.sum(flat * flat, axis=1)
        total = total + own * square
        if inside is not None:
            total = total + ops.sum(ops.square(flat * inside), axis=1)
    return total


def linear(layer: Any, inputs: Tensor, output: Tensor) -> Tensor:
    """Report a W + b."""
    taps = _OPEN.get()
    if taps is None:
        return output
    return taps.report(output, [layer.kernel, layer.bias], ops.sum(ops.square(inputs), axis=1) + 1.0, None)


def scaled(layer: Any, inputs: Tensor, output: Tensor) -> Tensor:
    """Report a layer normalisation."""
    taps = _OPEN.get()
    if taps is None:
        return output
    mean, variance = ops.moments(inputs, axes=[1], keepdims=True)
    normal = (inputs - mean) / ops.sqrt(variance + layer.epsilon)
    return taps.report(output, [layer.gamma, layer.beta], 1.0, normal)


def looked_up(table: Any, output: Tensor) -> Tensor:
    """Report vectors (n, b, e) that were looked up, each in a part of the table of its own."""
    taps = _OPEN.get()
    return output if taps is None else taps.report(output, [table], 1.0, None)
