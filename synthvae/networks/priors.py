"""p(z): what the latent looks like before any cell is known."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from keras import ops

from synthvae.networks.layers import Tensor


class Prior(ABC):
    """Two verbs: where a draw lands, and how dense it is there."""

    @abstractmethod
    def sample(self, noise: Tensor) -> Tensor:
        """Standard normal noise (n, k) -> z (n, k)."""

    @abstractmethod
    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats: (n, k) -> (n,)."""


class StandardNormal(Prior):
    """N(0, I)."""

    def sample(self, noise: Tensor) -> Tensor:
        return noise

    def log_prob(self, z: Tensor) -> Tensor:
        return -0.5 * ops.sum(z * z + math.log(2.0 * math.pi), axis=1)
