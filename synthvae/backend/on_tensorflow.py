"""TensorFlow: loops as one graph, functions compiled, gradients of rows clipped."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from synthvae.backend.kinds import Array, ClippedSum, Noise, Objective, Tensor
from synthvae.backend.running import device
from synthvae.backend.taps import check
from synthvae.backend.weights import Flat

MANY = 1_000  # steps


def _fused(wanted: bool) -> bool | None:
    """What jit_compile is to be: on a GPU XLA needs parts of CUDA that are often not found, so it is left alone."""
    return True if wanted and device() == "cpu" else None


class Judge:
    """Batches as one graph: no return to Python in between."""

    def __init__(self, model: Objective, tokens: Array) -> None:
        self.model = model
        self._forward = tf.autograph.experimental.do_not_convert(model.__call__)  # only the loop over steps needs it
        self.load(tokens)
        # partial: TensorFlow counts tracings per function, and would take several fits for one that retraces
        self._evaluate = tf.function(partial(self._evaluate_run), reduce_retracing=True)

    def load(self, tokens: Array) -> None:
        self.tokens = tf.constant(tokens)

    def evaluate(self, rows: Array, noise: Noise) -> tuple[Array, Array]:
        nats, kl = self._evaluate(self.tokens, rows, noise)
        return nats.numpy(), kl.numpy()

    def _terms(self, tokens: Tensor, rows: Tensor, noise: list[Tensor]) -> tuple[Tensor, Tensor]:
        return self._forward(tf.cast(tf.gather(tokens, rows), tf.int32), *noise)

    def _evaluate_run(self, tokens: Tensor, rows: Tensor, noise: tuple[Tensor, ...]) -> list[Tensor]:
        sums = [tf.zeros(tokens.shape[1]), tf.zeros(noise[1].shape[2])]
        for s in tf.range(tf.shape(rows)[0]):
            nats, kl = self._terms(tokens, rows[s], [part[s] for part in noise])
            sums = [sums[0] + tf.reduce_mean(nats, axis=0), sums[1] + tf.reduce_mean(kl, axis=0)]
        return [total / tf.cast(tf.shape(rows)[0], tf.float32) for total in sums]


class Loop(Judge):
    """The same with a step of the optimizer after each batch.

    On a CPU XLA compiles the whole of a run where there are MANY steps, else the optimizer's part alone: a run takes a
    fifth less time then, and seconds more to compile.
    """

    def __init__(self, model: Objective, optimizer: Any, tokens: Array, steps: int) -> None:
        super().__init__(model, tokens)
        self.optimizer, self.flat = optimizer, Flat(model, optimizer)
        whole = _fused(steps >= MANY)
        self._train = tf.function(partial(self._train_run), reduce_retracing=True, jit_compile=whole)
        self._step = tf.function(partial(self._moved), autograph=False, jit_compile=None if whole else _fused(True))

    def train(self, rows: Array, noise: Noise, rates: Array, kl_weights: Array) -> tuple[Array, Array]:
        nats, kl = self._train(self.tokens, rows, noise, rates, kl_weights)
        return nats.numpy(), kl.numpy()

    @property
    def variables(self) -> list[Any]:
        return self.flat.variables

    def averages(self) -> list[Array]:
        return self.flat.averages()

    def _moved(self, gradient: Tensor, rate: Tensor) -> None:
        self.optimizer.learning_rate.assign(rate)
        self.optimizer.apply([gradient], [self.flat.vector])

    def _train_run(
        self, tokens: Tensor, rows: Tensor, noise: tuple[Tensor, ...], rates: Tensor, kl_weights: Tensor
    ) -> list[Tensor]:
        sums = [tf.zeros(tokens.shape[1]), tf.zeros(noise[1].shape[2])]
        for s in tf.range(tf.shape(rows)[0]):
            vector = tf.convert_to_tensor(self.flat.vector.value)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(vector)
                with self.flat.scope(vector):
                    nats, kl = self._terms(tokens, rows[s], [part[s] for part in noise])
                loss = self.model.objective(nats, kl, kl_weights[s])
            self._step(tape.gradient(loss, vector), rates[s])
            sums = [sums[0] + tf.reduce_mean(nats, axis=0), sums[1] + tf.reduce_mean(kl, axis=0)]
        return [total / tf.cast(tf.shape(rows)[0], tf.float32) for total in sums]


def compiled(model: Any, function: Callable[..., Tensor]) -> Callable[..., Array]:
    # nothing in keras.ops needs AutoGraph, which takes half of the time until the first result
    graph = tf.function(partial(function), reduce_retracing=True, autograph=False)
    return lambda *arrays: graph(*arrays).numpy()


def fused(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    if device() != "cpu":
        return function
    graph = tf.function(partial(function), autograph=False, jit_compile=True)
    # outside of a graph each number of rows would be compiled anew
    return lambda x: function(x) if tf.executing_eagerly() else graph(x)


def clipped_sum(model: Any, losses: Any, taps: Any, norms: Any) -> ClippedSum:
    variables = model.trainable_variables

    def summed(clip: Tensor, mask: Tensor, *rows: Tensor) -> Tensor:
        values = [v.value for v in variables]
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(values)
            with taps().open() as told:
                each = losses(*rows)
        check(told, variables)
        norm = tf.sqrt(norms(told.seen, tape.gradient(each, told.outputs)))
        factors = mask * tf.minimum(1.0, clip / tf.maximum(norm, 1e-12))
        gradients = tape.gradient(each, values, output_gradients=factors)
        return [tf.convert_to_tensor(g) for g in gradients], norm

    graph = tf.function(partial(summed), autograph=False, reduce_retracing=True)  # autograph rewraps errors

    def call(clip: float, mask: Array, *rows: Array) -> tuple[list[Array], Array]:
        sums, norm = graph(np.float32(clip), mask, *rows)
        return [g.numpy() for g in sums], norm.numpy()

    return call
