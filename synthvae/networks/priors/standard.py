"""N(0, I): the prior of training, and of every latent that needs no other."""

from __future__ import annotations

import math

import numpy as np
from keras import ops

from synthvae.networks.layers import Tensor
from synthvae.networks.layout import Array
from synthvae.networks.priors.base import Prior


class StandardNormal(Prior):
    """N(0, I)."""

    kind = "standard_normal"

    def sample(self, noise: Array) -> Array:
        return np.asarray(noise, np.float32)

    def log_prob(self, z: Tensor) -> Tensor:
        return -0.5 * ops.sum(z * z + math.log(2.0 * math.pi), axis=1)

    def config(self) -> dict[str, Array]:
        return {}
