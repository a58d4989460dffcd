"""A plane through the latent space on which rows are seen apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA

from synthvae.networks.layout import Array


@dataclass(frozen=True, eq=False)
class Plane:
    """centre: (k,); axes: (k, 2), orthonormal, the first the one along which rows spread most."""

    centre: Array
    axes: Array

    @classmethod
    def through(cls, mean: Array) -> Plane:
        """The plane of the two directions in which latent means (n, k) spread most; of one dimension it is a line.

        The prior is round, so it is the means that have such directions.
        """
        if mean.shape[1] == 1:
            return cls(mean.mean(axis=0), np.array([[1.0, 0.0]]))
        found = PCA(2, random_state=0).fit(mean)
        return cls(found.mean_, found.components_.T)

    def project(self, z: Array) -> Array:
        """(n, k) -> where on the plane: (n, 2)."""
        return np.asarray((z - self.centre) @ self.axes)
