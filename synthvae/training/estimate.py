"""What a fit will cost, before it starts: seconds from a matrix product measured on the spot, bytes by adding up."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from synthvae.networks.layout import Layout
from synthvae.networks.vae import VAE
from synthvae.training.schedules import Plan
from synthvae.training.trainer import RUN_STEPS

PASSES = 3.0  # a training step is a forward pass and about two more for the gradients
SHARE_OF_PEAK = 0.6  # of a bare matrix product's rate that whole steps reach


@dataclass(frozen=True)
class Estimate:
    """Seconds for all epochs (early stopping may end sooner) and bytes on top of the table itself."""

    seconds: float
    bytes: int
    parameters: int

    def __str__(self) -> str:
        minutes = f"{self.seconds / 60:.0f} min" if self.seconds > 90 else f"{self.seconds:.0f} s"
        return f"Fitting {self.parameters:,} parameters: about {minutes} at most, {self.bytes / 1e9:.2f} GB of memory"


def estimate(vae: VAE, plan: Plan) -> Estimate:
    """Cost of fitting ``vae`` as planned on this machine's CPU."""
    parameters = sum(int(np.prod(v.shape)) for v in vae.trainable_variables)
    multiplications = sum(int(np.prod(v.shape)) for v in vae.trainable_variables if len(v.shape) == 2)
    multiplications += vae.layout.v * vae.layout.b - embeddings(vae)
    work = 2.0 * PASSES * multiplications * plan.rows * plan.epochs
    tokens = plan.rows * vae.layout.b * token_type(vae.layout).itemsize
    noise = RUN_STEPS * plan.batch_size * ((2 * vae.layout.b + 2 + vae.settings.latent_dim) * 4 + vae.dropped)
    activations = plan.batch_size * 4 * (3 * vae.layout.v + 12 * vae.settings.decoder_width)
    return Estimate(
        work / (SHARE_OF_PEAK * measured_rate()), 6 * 4 * parameters + tokens + noise + activations, parameters
    )


def embeddings(vae: VAE) -> int:
    """Weights that are looked up, not multiplied."""
    return sum(int(np.prod(net.vectors.embedding.shape)) for net in (vae.encoder, vae.decoder))


def token_type(layout: Layout) -> np.dtype[np.unsignedinteger]:
    """The smallest integers that hold every token."""
    return np.dtype(np.min_scalar_type(max(layout.sizes)))


def measured_rate() -> float:
    """Floating-point operations per second of a 512 x 512 product on this machine, now."""
    a = np.ones((512, 512), "float32")
    a @ a
    began = time.perf_counter()
    for _ in range(10):
        a @ a
    return 10 * 2 * 512**3 / max(time.perf_counter() - began, 1e-6)
