"""What a fit learned, and its way into a bundle and back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthvae import backend, bundle
from synthvae.codecs.features import PLAIN
from synthvae.codecs.table import TableCodec
from synthvae.errors import BundleError
from synthvae.generation.calibrate import shift_shapes
from synthvae.networks.layout import Array, Echo, Layout
from synthvae.networks.priors import PRIORS, Prior
from synthvae.networks.vae import VAE, NetworkConfig
from synthvae.schema.schema import Schema


@dataclass(frozen=True, eq=False)
class Learned:
    """Everything a fit leaves behind; shifts: what calibration adds to each block's logits."""

    codec: TableCodec
    vae: VAE
    shifts: list[Array]
    history: pd.DataFrame
    card: dict[str, Any]


def layout_of(codec: TableCodec) -> Layout:
    """What the networks need to know of the codec's blocks; a child refines the block before it."""
    return Layout(
        sizes=tuple(block.size for block in codec.blocks),
        parents=tuple(j - 1 if block.child else -1 for j, block in enumerate(codec.blocks)),
        features=tuple(block.features for block in codec.blocks),
        sampleable=tuple(block.sampleable for block in codec.blocks),
        compatible=tuple(block.compatible for block in codec.blocks),
        echoes=tuple(Echo(codec.pair(e.source), codec.pair(e.target), e.tokens) for e in codec.echoes),
        plain=PLAIN,
    )


def parts(of: Learned, parameters: dict[str, Any]) -> bundle.Parts:
    """As documents and arrays; parameters: those of the constructor, as JSON can hold them."""
    codec_state, codec_arrays = of.codec.state()
    weights = {f"weight_{i:03d}": w for i, w in enumerate(backend.arrays(of.vae.trainable_variables))}
    documents = {
        "schema": json.loads(of.codec.schema.to_json()),
        "codecs": codec_state,
        "prior": {"kind": of.vae.prior.kind},
        "network": vars(of.vae.settings) | {"weights": [v.path for v in of.vae.trainable_variables]},
        "parameters": parameters,
        "history": {"columns": list(of.history.columns), "rows": of.history.astype(float).to_numpy().tolist()},
        "card": of.card,
    }
    arrays = weights | {f"shift_{i:03d}": shift for i, shift in enumerate(of.shifts)}
    arrays |= {f"codec_{name}": array for name, array in codec_arrays.items()}
    arrays |= {f"prior_{name}": array for name, array in of.vae.prior.config().items()}
    return bundle.Parts(documents, arrays)


def learned(of: bundle.Parts) -> tuple[Learned, dict[str, Any]]:
    """The inverse of ``parts``; BundleError, or whatever a strange document leads to, where it is no such thing."""
    documents = of.documents
    schema = Schema.from_json(json.dumps(documents["schema"]))
    arrays = {n.removeprefix("codec_"): a for n, a in of.arrays.items() if n.startswith("codec_")}
    codec = TableCodec.from_state(schema, (documents["codecs"], arrays))
    settings = {k: v for k, v in documents["network"].items() if k != "weights"}
    vae = VAE(layout_of(codec), NetworkConfig(**settings), np.random.default_rng(0))
    weights, shifts = (_series(of, name) for name in ("weight_", "shift_"))
    expected = [tuple(v.shape) for v in vae.trainable_variables] + shift_shapes(vae.layout)
    if expected != [a.shape for a in weights + shifts] or any(a.dtype != np.float32 for a in weights + shifts):
        raise BundleError("the weights do not fit the schema and network it describes")
    backend.assign(vae.trainable_variables, weights)
    vae.prior = _prior(of, vae.settings.latent_dim)
    history = pd.DataFrame(documents["history"]["rows"], columns=documents["history"]["columns"])
    return Learned(codec, vae, shifts, history, documents["card"]), documents["parameters"]


def _prior(of: bundle.Parts, k: int) -> Prior:
    """The prior; BundleError where it is none of k dimensions."""
    config = {name.removeprefix("prior_"): array for name, array in of.arrays.items() if name.startswith("prior_")}
    prior = PRIORS[of.documents["prior"]["kind"]](**config)
    if prior.sample(np.zeros((1, k), np.float32)).shape != (1, k):
        raise BundleError(f"the prior is not one of {k} dimensions")
    return prior


def _series(of: bundle.Parts, prefix: str) -> list[Array]:
    """The numbered arrays of a bundle whose names begin with ``prefix``, in order."""
    return [array for name, array in sorted(of.arrays.items()) if name.startswith(prefix)]
