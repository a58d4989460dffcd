"""JAX: loops as one lax.scan, functions compiled, gradients of rows clipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from synthvae.backend.kinds import Array, ClippedSum, Noise, Objective, Tensor
from synthvae.backend.taps import check
from synthvae.backend.weights import Flat, assign, scope


class Judge:
    """Batches as one scan.

    Where there are several devices, each has the table and the weights and takes its share of every batch; XLA adds the
    parts up.
    """

    def __init__(self, model: Objective, tokens: Array) -> None:
        self.model = model
        self.load(tokens)
        self._evaluate = jax.jit(self._evaluate_run)

    def load(self, tokens: Array) -> None:
        self.tokens = jax.numpy.asarray(tokens)

    def evaluate(self, rows: Array, noise: Noise) -> tuple[Array, Array]:
        weights = [v.value for v in self.model.trainable_variables]
        sums = self._evaluate(weights, self.tokens, self._shared((rows, noise), rows.shape[1]))
        return np.asarray(sums[0]), np.asarray(sums[1])

    def _shared(self, run: Tensor, rows: int) -> Tensor:
        """The arrays (s, n, ...) of a run, those per row spread over as many devices as divide the batch."""
        count = next(c for c in range(jax.local_device_count(), 0, -1) if rows % c == 0)
        if count == 1:
            return run
        mesh = Mesh(jax.local_devices()[:count], ("rows",))
        self.tokens = jax.device_put(self.tokens, NamedSharding(mesh, PartitionSpec()))
        spread = NamedSharding(mesh, PartitionSpec(None, "rows"))
        alike = NamedSharding(mesh, PartitionSpec())
        return jax.tree.map(lambda part: jax.device_put(part, spread if part.ndim > 1 else alike), run)

    def _terms(self, tokens: Tensor, rows: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        return self.model(tokens[rows].astype("int32"), *noise)

    def _evaluate_run(self, weights: Tensor, tokens: Tensor, run: Tensor) -> Tensor:
        def step(carry: None, inputs: Tensor) -> Tensor:
            with scope(self.model.trainable_variables, weights):
                nats, kl = self._terms(tokens, *inputs)
            return carry, (nats.mean(0), kl.mean(0))

        _, means = jax.lax.scan(step, None, run)
        return [m.mean(0) for m in means]


class Loop(Judge):
    """The same with a step of the optimizer after each batch, whose state stays on the device."""

    def __init__(self, model: Objective, optimizer: Any, tokens: Array, _: int) -> None:
        super().__init__(model, tokens)
        self.optimizer, self.flat = optimizer, Flat(model, optimizer)
        self._train = jax.jit(self._train_run, donate_argnums=(0, 1))

    def train(self, rows: Array, noise: Noise, rates: Array, kl_weights: Array) -> tuple[Array, Array]:
        state = [v.value for v in self.optimizer.variables]
        run = self._shared((rows, noise, rates, kl_weights), rows.shape[1])
        vector, state, sums = self._train(self.flat.vector.value, state, self.tokens, run)
        assign(self.flat.variables, [vector, *state])
        return np.asarray(sums[0]), np.asarray(sums[1])

    @property
    def variables(self) -> list[Any]:
        return self.flat.variables

    def averages(self) -> list[Array]:
        return self.flat.averages()

    def _train_run(self, vector: Tensor, state: Tensor, tokens: Tensor, run: Tensor) -> Tensor:
        place = next(i for i, v in enumerate(self.optimizer.variables) if v is self.optimizer.learning_rate)

        def loss(vector: Tensor, rows: Tensor, noise: Tensor, kl_weight: Tensor) -> Tensor:
            with self.flat.scope(vector):
                nats, kl = self._terms(tokens, rows, noise)
            return self.model.objective(nats, kl, kl_weight), (nats.mean(0), kl.mean(0))

        def step(carry: Tensor, inputs: Tensor) -> Tensor:
            (vector, state), (rows, noise, rate, kl_weight) = carry, inputs
            (_, means), gradient = jax.value_and_grad(loss, has_aux=True)(vector, rows, noise, kl_weight)
            state = [*state[:place], rate, *state[place + 1 :]]
            (vector,), state = self.optimizer.stateless_apply(state, [gradient], [vector])
            return (vector, state), means

        (vector, state), means = jax.lax.scan(step, (vector, state), run)
        return vector, state, [m.mean(0) for m in means]


def compiled(model: Any, function: Callable[..., Tensor]) -> Callable[..., Array]:
    def pure(weights: Tensor, *arrays: Tensor) -> Tensor:
        with scope(model.variables, weights):
            return function(*arrays)

    jitted = jax.jit(pure)
    return lambda *arrays: np.asarray(jitted([v.value for v in model.variables], *arrays))


def fused(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    return function  # jit fuses all there is


def clipped_sum(model: Any, losses: Any, taps: Any, norms: Any) -> ClippedSum:
    variables = model.trainable_variables

    def run(weights: Tensor, given: Tensor, rows: Tensor) -> Tensor:
        with scope(variables, weights), taps(given).open() as told:
            each = losses(*rows)
        check(told, variables)
        return each, (told.seen, told.outputs)

    def summed(weights: Tensor, clip: Tensor, mask: Tensor, *rows: Tensor) -> Tensor:
        shapes = jax.eval_shape(lambda w: run(w, None, rows)[1][1], weights)
        given = [jax.numpy.zeros(shape.shape, shape.dtype) for shape in shapes]
        each, pull, (seen, _) = jax.vjp(lambda w, g: run(w, g, rows), weights, given, has_aux=True)
        norm = jax.numpy.sqrt(norms(seen, pull(jax.numpy.ones_like(each))[1]))
        return pull(mask * jax.numpy.minimum(1.0, clip / jax.numpy.maximum(norm, 1e-12)))[0], norm

    jitted = jax.jit(summed)

    def call(clip: float, mask: Array, *rows: Array) -> tuple[list[Array], Array]:
        sums, norm = jitted([v.value for v in variables], np.float32(clip), mask, *rows)
        return [np.asarray(g) for g in sums], np.asarray(norm)

    return call
