"""The one file that knows which Keras backend runs: compiling, the epoch loop, devices.

Everything else is written in keras.ops. TensorFlow is the default; ``KERAS_BACKEND=jax`` in the environment chooses
JAX. The training loop hands the device a whole run of steps at once: row numbers and noise go in, sums come out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

import numpy as np

from synthvae.errors import ParameterError


@contextmanager
def _quiet() -> Iterator[None]:
    """TensorFlow greets on the stderr of the process whatever its log level; a failure still raises."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    stderr, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nothing)


with _quiet():
    import keras

    keras.distribution.list_devices()  # looks for a GPU now, where its complaint that there is none is not heard

Array = np.ndarray[Any, Any]
Tensor = Any
Noise = tuple[Array, ...]


class Objective(Protocol):
    """A model that a ``Loop`` can train."""

    trainable_variables: list[Any]

    def __call__(self, tokens: Tensor, *noise: Tensor) -> tuple[Tensor, Tensor]: ...

    def objective(self, nats: Tensor, kl: Tensor, kl_weight: Tensor) -> Tensor: ...


class Loop(Protocol):
    """Runs of steps on the device.

    rows (s, n) int32 row numbers of s batches; noise: arrays (s, n, ...) for the model; rates and kl_weights (s,):
    learning rate and weight of the KL term. Returned are per-row means over the run: nats per block (b,), KL per
    dimension (k,). ``load`` puts another token matrix of the same shape in the place of the one on the device.
    """

    def load(self, tokens: Array) -> None: ...

    def train(self, rows: Array, noise: Noise, rates: Array, kl_weights: Array) -> tuple[Array, Array]: ...

    def evaluate(self, rows: Array, noise: Noise) -> tuple[Array, Array]: ...


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


def name() -> str:
    """The backend in use: "tensorflow" or "jax"."""
    return str(keras.config.backend())


def device() -> str:
    """Where the networks run: "gpu" or "cpu"."""
    return "gpu" if any("gpu" in d.lower() or "cuda" in d.lower() for d in keras.distribution.list_devices()) else "cpu"


def threads() -> int:
    """How many calls are worth making at the same time: one for each core that this process may use."""
    return int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0) or os.cpu_count() or 1


def arrays(variables: list[Any]) -> list[Array]:
    """Copies of variables as arrays."""
    return [np.asarray(variable).copy() for variable in variables]


def assign(variables: list[Any], values: list[Array]) -> None:
    """Put arrays back into variables, in the same order."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def loop(model: Objective, optimizer: Any, tokens: Array) -> Loop:
    """A training loop over a token matrix that lives on the device."""
    optimizer.build(model.trainable_variables)
    return _PARTS[name()][0](model, optimizer, tokens)


def compiled(model: Any, function: Callable[..., Tensor]) -> Callable[..., Array]:
    """``function(*arrays)``, which reads the model's weights, as one compiled call from arrays to an array."""
    return _PARTS[name()][1](model, function)


def clipped_sum(
    model: Any, losses: Callable[..., Tensor], taps: Callable[..., Tapping], norms: Callable[..., Tensor]
) -> ClippedSum:
    """A compiled sum of clipped gradients of ``losses(*rows)`` (n,), of which each must depend on its own row alone.

    One pass forward and two back: by what the layers put out, for the norms (``norms``), and by the weights, with the
    clipping factors as weights of the rows. ParameterError where a weight does not report to ``taps``.
    """
    return _PARTS[name()][2](model, losses, taps, norms)


class TensorFlowLoop:
    """The steps of a run as one graph: no return to Python in between."""

    def __init__(self, model: Objective, optimizer: Any, tokens: Array) -> None:
        import tensorflow as tf

        self.model, self.optimizer = model, optimizer
        self._forward = tf.autograph.experimental.do_not_convert(model.__call__)  # only the loop over steps needs it
        self.load(tokens)
        # partial: TensorFlow counts tracings per function, and would take several fits for one that retraces
        self._train = tf.function(partial(self._train_run), reduce_retracing=True)
        self._evaluate = tf.function(partial(self._evaluate_run), reduce_retracing=True)

    def load(self, tokens: Array) -> None:
        import tensorflow as tf

        self.tokens = tf.constant(tokens)

    def train(self, rows: Array, noise: Noise, rates: Array, kl_weights: Array) -> tuple[Array, Array]:
        nats, kl = self._train(self.tokens, rows, noise, rates, kl_weights)
        return nats.numpy(), kl.numpy()

    def evaluate(self, rows: Array, noise: Noise) -> tuple[Array, Array]:
        nats, kl = self._evaluate(self.tokens, rows, noise)
        return nats.numpy(), kl.numpy()

    def _terms(self, tokens: Tensor, rows: Tensor, noise: list[Tensor]) -> tuple[Tensor, Tensor]:
        import tensorflow as tf

        return self._forward(tf.cast(tf.gather(tokens, rows), tf.int32), *noise)

    def _train_run(
        self, tokens: Tensor, rows: Tensor, noise: tuple[Tensor, ...], rates: Tensor, kl_weights: Tensor
    ) -> list[Tensor]:
        import tensorflow as tf

        variables = self.model.trainable_variables
        values = [v.value for v in variables]
        sums = [tf.zeros(tokens.shape[1]), tf.zeros(noise[1].shape[2])]
        for s in tf.range(tf.shape(rows)[0]):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(values)
                nats, kl = self._terms(tokens, rows[s], [part[s] for part in noise])
                loss = self.model.objective(nats, kl, kl_weights[s])
            gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, values)]
            self.optimizer.learning_rate.assign(rates[s])
            self.optimizer.apply(gradients, variables)
            sums = [sums[0] + tf.reduce_mean(nats, axis=0), sums[1] + tf.reduce_mean(kl, axis=0)]
        return [total / tf.cast(tf.shape(rows)[0], tf.float32) for total in sums]

    def _evaluate_run(self, tokens: Tensor, rows: Tensor, noise: tuple[Tensor, ...]) -> list[Tensor]:
        import tensorflow as tf

        sums = [tf.zeros(tokens.shape[1]), tf.zeros(noise[1].shape[2])]
        for s in tf.range(tf.shape(rows)[0]):
            nats, kl = self._terms(tokens, rows[s], [part[s] for part in noise])
            sums = [sums[0] + tf.reduce_mean(nats, axis=0), sums[1] + tf.reduce_mean(kl, axis=0)]
        return [total / tf.cast(tf.shape(rows)[0], tf.float32) for total in sums]


class JaxLoop:
    """The steps of a run as one lax.scan; weights and optimizer state stay on the device between runs.

    Where there are several devices, each has the table and the weights and takes its share of every batch; XLA adds the
    gradients up.
    """

    def __init__(self, model: Objective, optimizer: Any, tokens: Array) -> None:
        import jax

        self.model, self.optimizer = model, optimizer
        self.load(tokens)
        self._train = jax.jit(self._train_run, donate_argnums=(0, 1))
        self._evaluate = jax.jit(self._evaluate_run)

    def load(self, tokens: Array) -> None:
        import jax

        self.tokens = jax.numpy.asarray(tokens)

    def _shared(self, run: Tensor, rows: int) -> Tensor:
        """The arrays (s, n, ...) of a run, those per row spread over as many devices as divide the batch."""
        import jax
        from jax.sharding import Mesh, NamedSharding, PartitionSpec

        count = next(c for c in range(jax.local_device_count(), 0, -1) if rows % c == 0)
        if count == 1:
            return run
        mesh = Mesh(jax.local_devices()[:count], ("rows",))
        self.tokens = jax.device_put(self.tokens, NamedSharding(mesh, PartitionSpec()))
        spread = NamedSharding(mesh, PartitionSpec(None, "rows"))
        alike = NamedSharding(mesh, PartitionSpec())
        return jax.tree.map(lambda part: jax.device_put(part, spread if part.ndim > 1 else alike), run)

    def train(self, rows: Array, noise: Noise, rates: Array, kl_weights: Array) -> tuple[Array, Array]:
        weights = [v.value for v in self.model.trainable_variables]
        state = [v.value for v in self.optimizer.variables]
        run = self._shared((rows, noise, rates, kl_weights), rows.shape[1])
        weights, state, sums = self._train(weights, state, self.tokens, run)
        assign(self.model.trainable_variables, weights)
        assign(self.optimizer.variables, state)
        return np.asarray(sums[0]), np.asarray(sums[1])

    def evaluate(self, rows: Array, noise: Noise) -> tuple[Array, Array]:
        weights = [v.value for v in self.model.trainable_variables]
        sums = self._evaluate(weights, self.tokens, self._shared((rows, noise), rows.shape[1]))
        return np.asarray(sums[0]), np.asarray(sums[1])

    def _terms(self, weights: Tensor, tokens: Tensor, rows: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        batch = tokens[rows].astype("int32")
        with keras.StatelessScope(state_mapping=zip(self.model.trainable_variables, weights, strict=True)):
            return self.model(batch, *noise)

    def _train_run(self, weights: Tensor, state: Tensor, tokens: Tensor, run: Tensor) -> Tensor:
        import jax

        place = next(i for i, v in enumerate(self.optimizer.variables) if v is self.optimizer.learning_rate)

        def loss(weights: Tensor, rows: Tensor, noise: Tensor, kl_weight: Tensor) -> Tensor:
            nats, kl = self._terms(weights, tokens, rows, noise)
            return self.model.objective(nats, kl, kl_weight), (nats.mean(0), kl.mean(0))

        def step(carry: Tensor, inputs: Tensor) -> Tensor:
            (weights, state), (rows, noise, rate, kl_weight) = carry, inputs
            (_, means), gradients = jax.value_and_grad(loss, has_aux=True)(weights, rows, noise, kl_weight)
            state = [*state[:place], rate, *state[place + 1 :]]
            weights, state = self.optimizer.stateless_apply(state, gradients, weights)
            return (weights, state), means

        (weights, state), means = jax.lax.scan(step, (weights, state), run)
        return weights, state, [m.mean(0) for m in means]

    def _evaluate_run(self, weights: Tensor, tokens: Tensor, run: Tensor) -> Tensor:
        import jax

        def step(carry: None, inputs: Tensor) -> Tensor:
            nats, kl = self._terms(weights, tokens, *inputs)
            return carry, (nats.mean(0), kl.mean(0))

        _, means = jax.lax.scan(step, None, run)
        return [m.mean(0) for m in means]


def _compiled_tensorflow(model: Any, function: Callable[..., Tensor]) -> Callable[..., Array]:
    import tensorflow as tf

    # nothing in keras.ops needs AutoGraph, which takes half of the time until the first result
    graph = tf.function(partial(function), reduce_retracing=True, autograph=False)
    return lambda *arrays: graph(*arrays).numpy()


def _compiled_jax(model: Any, function: Callable[..., Tensor]) -> Callable[..., Array]:
    import jax

    def pure(weights: Tensor, *arrays: Tensor) -> Tensor:
        with keras.StatelessScope(state_mapping=zip(model.variables, weights, strict=True)):
            return function(*arrays)

    jitted = jax.jit(pure)
    return lambda *arrays: np.asarray(jitted([v.value for v in model.variables], *arrays))


def _clipped_tensorflow(model: Any, losses: Any, taps: Any, norms: Any) -> ClippedSum:
    import tensorflow as tf

    variables = model.trainable_variables

    def summed(clip: Tensor, mask: Tensor, *rows: Tensor) -> Tensor:
        values = [v.value for v in variables]
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(values)
            with taps().open() as told:
                each = losses(*rows)
        _check_taps(told, variables)
        norm = tf.sqrt(norms(told.seen, tape.gradient(each, told.outputs)))
        factors = mask * tf.minimum(1.0, clip / tf.maximum(norm, 1e-12))
        gradients = tape.gradient(each, values, output_gradients=factors)
        return [tf.convert_to_tensor(g) for g in gradients], norm

    graph = tf.function(partial(summed), autograph=False, reduce_retracing=True)  # autograph rewraps errors

    def call(clip: float, mask: Array, *rows: Array) -> tuple[list[Array], Array]:
        sums, norm = graph(np.float32(clip), mask, *rows)
        return [g.numpy() for g in sums], norm.numpy()

    return call


def _clipped_jax(model: Any, losses: Any, taps: Any, norms: Any) -> ClippedSum:
    import jax

    variables = model.trainable_variables

    def run(weights: Tensor, given: Tensor, rows: Tensor) -> Tensor:
        with (
            keras.StatelessScope(state_mapping=zip(variables, weights, strict=True)),
            taps(given).open() as told,
        ):
            each = losses(*rows)
        _check_taps(told, variables)
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


def _check_taps(told: Tapping, variables: list[Any]) -> None:
    """A weight that is used and does not report would be left out of the norms, and the promise would not hold."""
    reported = [id(v) for v in told.weights]
    if sorted(reported) != sorted(id(v) for v in variables):
        raise ParameterError(
            f"Expected each of the {len(variables)} weights to report once; got {len(reported)} reports of "
            f"{len(set(reported))} weights. A layer of its own must report to taps.py."
        )


_PARTS: dict[str, tuple[Any, Any, Any]] = {
    "tensorflow": (TensorFlowLoop, _compiled_tensorflow, _clipped_tensorflow),
    "jax": (JaxLoop, _compiled_jax, _clipped_jax),
}
if name() not in _PARTS:
    raise ParameterError(
        f"synthvae runs on the Keras backends {sorted(_PARTS)}; got {name()!r}. Set KERAS_BACKEND before Python starts."
    )
