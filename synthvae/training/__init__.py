"""Making it fit: the training loop and what changes with time.

``trainer.py`` the loop's decisions (when to evaluate, to stop, what to keep), ``schedules.py`` how long and how fast,
``effort.py`` how much time a fit may take, ``feed.py`` which rows an epoch sees,
``checkpoint.py`` where a killed fit resumes, ``estimate.py`` what a fit will cost,
``transfer.py`` weights from an earlier model to a later one, ``private.py`` noisy steps under a budget. Imports
networks, privacy, backend, errors.
"""

import synthvae.backend  # noqa: F401  before any file here imports Keras: it keeps TensorFlow from greeting
