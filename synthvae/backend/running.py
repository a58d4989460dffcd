"""Which backend runs, and where; Keras, imported without what TensorFlow says of itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


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
    import keras as keras

    keras.distribution.list_devices()  # looks for a GPU now, where its complaint that there is none is not heard


def name() -> str:
    """The backend in use: "tensorflow" or "jax"."""
    return str(keras.config.backend())


def device() -> str:
    """Where the networks run: "gpu" or "cpu"."""
    return "gpu" if any("gpu" in d.lower() or "cuda" in d.lower() for d in keras.distribution.list_devices()) else "cpu"


def threads() -> int:
    """How many calls are worth making at the same time: one for each core that this process may use."""
    return int(os.environ.get("TF_NUM_INTRAOP_THREADS") or 0) or os.cpu_count() or 1
