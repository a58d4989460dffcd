"""The other half of test_data_parallel.py: a fit on all of JAX's devices, its losses and weights written down."""

from __future__ import annotations

import sys
from pathlib import Path

import jax
import numpy as np

from synthvae.backend import arrays
from tests.test_training import fit


def main(path: Path) -> None:
    """Leave the number of devices, the losses and the weights in ``path``."""
    vae, outcome = fit(30)
    weights = np.concatenate([weight.ravel() for weight in arrays(vae.trainable_variables)])
    np.savez(path, devices=jax.local_device_count(), losses=outcome.history.losses, weights=weights)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
