"""The one room that knows which Keras backend runs: compiling, loops over steps, devices.

``on_tensorflow`` and ``on_jax`` are the same things on either; ``kinds`` says what they take and give, ``weights`` has
the weights of a model as one vector. Everything else is written in keras.ops. TensorFlow is the default;
``KERAS_BACKEND=jax`` in the environment chooses JAX. The training loop hands the device a whole run of steps at once:
row numbers and noise go in, sums come out. A further backend is a further ``on_...`` with ``Judge``, ``Loop``,
``compiled``, ``fused`` and ``clipped_sum``.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from synthvae.backend.kinds import Array, ClippedSum, Judge, Loop, Noise, Objective, Tapping, Tensor
from synthvae.backend.running import device, name, threads
from synthvae.backend.weights import arrays, assign
from synthvae.errors import ParameterError

__all__ = [
    "Array",
    "ClippedSum",
    "Judge",
    "Loop",
    "Noise",
    "Objective",
    "Tapping",
    "Tensor",
    "arrays",
    "assign",
    "clipped_sum",
    "compiled",
    "device",
    "fused",
    "judge",
    "loop",
    "name",
    "threads",
]
BACKENDS = ("tensorflow", "jax")


def loop(model: Objective, optimizer: Any, tokens: Array, steps: int = 0) -> Loop:
    """A training loop over a token matrix; steps: about how many there will be, for what is worth compiling."""
    made: Loop = _HERE.Loop(model, optimizer, tokens, steps)
    return made


def judge(model: Objective, tokens: Array) -> Judge:
    """Batches over a token matrix, without training."""
    made: Judge = _HERE.Judge(model, tokens)
    return made


def compiled(model: Any, function: Callable[..., Tensor]) -> Callable[..., Array]:
    """``function(*arrays)``, which reads the model's weights, as one compiled call from arrays to an array."""
    made: Callable[..., Array] = _HERE.compiled(model, function)
    return made


def fused(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """A part that a compiled call repeats, compiled by itself where that makes it faster."""
    made: Callable[[Tensor], Tensor] = _HERE.fused(function)
    return made


def clipped_sum(
    model: Any, losses: Callable[..., Tensor], taps: Callable[..., Tapping], norms: Callable[..., Tensor]
) -> ClippedSum:
    """A compiled sum of clipped gradients of ``losses(*rows)`` (n,), of which each must depend on its own row alone.

    One pass forward and two back: by what the layers put out, for the norms (``norms``), and by the weights, with the
    clipping factors as weights of the rows. ParameterError where a weight does not report to ``taps``.
    """
    made: ClippedSum = _HERE.clipped_sum(model, losses, taps, norms)
    return made


if name() not in BACKENDS:
    raise ParameterError(
        f"synthvae runs on the Keras backends {' and '.join(BACKENDS)}; got {name()!r}. Set KERAS_BACKEND before "
        "Python starts."
    )
_HERE = import_module(f"synthvae.backend.on_{name()}")
