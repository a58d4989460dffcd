"""The mathematics: a variational autoencoder over token matrices, in keras.ops only.

``layout.py`` is what the networks know of a table (sizes, numeric features, which block refines which), ``layers.py``
the shared layers, ``encoder.py`` q(z | known cells), ``decoder.py`` p(cell | z, known cells), ``priors/`` p(z),
``vae.py`` the objective that ties them, ``taps.py`` what tells how far each row would move the weights. Imports nothing
of ours but errors and backend, never pandas or pyarrow.

Shapes: n rows, b blocks per row, v tokens in a block, k latent dimensions. Tokens int32, tensors float32.
"""

import synthvae.backend  # noqa: F401  before any file here imports Keras: it keeps TensorFlow from greeting
