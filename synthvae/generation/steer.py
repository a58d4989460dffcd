"""Which way an attribute lies in the latent space.

With z ~ N(0, I) and p(z) = p(attribute | z), Stein's lemma (Stein 1981) gives

    E[z | attribute] = Cov(z, p(z)) / p(attribute) = E[grad p(z)] / p(attribute),

so the mean latent under the attribute points along the average gradient of its probability: of all steps of one length
it is the one that raises the attribute most. As the prior is white, that step is also the one that costs least
likelihood of z and moves everything else least, and the difference of the class means needs no whitening: by Sherman
and Morrison the within-class covariance I - c d d' leaves the direction d as it is. (A learned prior is nearly white,
and so are these statements nearly true.) The mean is that of the condition's pool, whose weights are p(z); no training
row is needed.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from synthvae.errors import SynthvaeWarning
from synthvae.generation.conditional import pooled
from synthvae.generation.stream import Completer
from synthvae.networks.layout import Array
from synthvae.schema.conditions import Wish

CLEAR = 3.0  # times the length that chance alone would give: a shorter mean tells no direction


def direction(completer: Completer, wishes: Mapping[str, Wish], seed: int) -> Array:
    """The unit vector (k,) along which the probability of the wishes rises most.

    Warns where the latent hardly carries them; ConditionError where the model knows no such row.
    """
    pool = pooled(completer, wishes, seed)
    centred = pool.weights - 1.0 / len(pool.weights)  # the pool's own mean is chance
    mean = centred @ pool.z.astype(np.float64)
    length = float(np.linalg.norm(mean))
    chance = float(np.sqrt(pool.z.shape[1] * np.square(centred).sum()))
    if length < CLEAR * chance or not length:
        warnings.warn(
            f"The latent hardly tells {', '.join(map(repr, wishes))}: under the condition its mean lies "
            f"{length:.3f} from the centre, chance alone gives {chance:.3f}. The direction says little; condition "
            "with sample(where=...) instead.",
            SynthvaeWarning,
            stacklevel=4,
        )
    return np.asarray(mean / length if length else np.eye(len(mean))[0])
