"""What every prior does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from synthvae.networks.layers import Tensor
from synthvae.networks.layout import Array


class Prior(ABC):
    """Two verbs, where a draw lands and how dense it is there, and what is needed to make it again."""

    kind: ClassVar[str]

    @abstractmethod
    def sample(self, noise: Array) -> Array:
        """Standard normal noise (n, k) -> z (n, k) float32, each row a function of its own noise alone.

        In NumPy, so that all backends draw the same rows.
        """

    @abstractmethod
    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats: (n, k) -> (n,)."""

    @abstractmethod
    def config(self) -> dict[str, Array]:
        """The arguments of the constructor: ``type(prior)(**prior.config())`` is the same prior."""
