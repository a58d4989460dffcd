"""Rows with holes: everything the model is asked is "complete these rows".

``noise.py`` randomness that belongs to a row number, ``complete.py`` one tile of rows completed column by column,
``stream.py`` tiles to Arrow batches. The latent space: ``latent.py`` rows <-> latents, ``greedy.py`` the row that a
latent tells, ``path.py`` ways between rows, ``steer.py`` the direction of an attribute, ``counterfactual.py`` what
would have to change, ``dimensions.py`` what each dimension is about, ``latent_report.py`` how that is shown.
``lead.py`` mends the order of rows under a condition; ``anomaly.py`` judges each cell by the others, ``rarity.py`` by
itself. Imports codecs, training, networks, tables, errors, backend.
"""

import synthvae.backend  # noqa: F401  before any file here imports Keras: it keeps TensorFlow from greeting
