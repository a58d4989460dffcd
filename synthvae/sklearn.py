"""The latent space as a scikit-learn transformer: a table in, a few numbers a row out."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from synthvae.generation.noise import seed_of
from synthvae.networks.layout import Array
from synthvae.schema.schema import Schema
from synthvae.synthesizer import Synthesizer


class LatentTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Rows -> latent means (n, k), learned without labels.

    A DataFrame is read as ``Synthesizer`` reads it, with categories, dates and nulls as they are; any other matrix is
    read as numbers, NaN as null. The parameters are those of ``Synthesizer``, but for ``latent_nats``: None offers
    every dimension a nat, more than is good for drawing rows. Learned: ``synthesizer_``.

    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.linear_model import LogisticRegression
    >>> x = np.random.default_rng(0).normal(size=(80, 3))
    >>> pipe = make_pipeline(LatentTransformer(latent_dim=2, epochs=1, random_state=0), LogisticRegression())
    >>> pipe.fit(x, x[:, 0] > 0).predict(x).shape
    (80,)
    """

    def __init__(
        self,
        schema: Schema | None = None,
        *,
        epochs: int | None = None,
        batch_size: int | None = None,
        latent_dim: int = 16,
        latent_nats: float | None = None,
        random_state: int | np.random.Generator | np.random.RandomState | None = None,
    ) -> None:
        self.schema = schema
        self.epochs = epochs
        self.batch_size = batch_size
        self.latent_dim = latent_dim
        self.latent_nats = latent_nats
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: N803
        """Learn the table; ``y`` is not looked at. Raises what ``Synthesizer.fit`` raises."""
        table = self._table(X, reset=True)
        model = Synthesizer(
            self.schema,
            epochs=self.epochs,
            batch_size=self.batch_size,
            latent_dim=self.latent_dim,
            latent_nats=self.latent_dim if self.latent_nats is None else self.latent_nats,
            random_state=_seed(self.random_state),
        )
        self.synthesizer_ = model.fit(table)
        self._n_features_out = int(self.latent_dim)
        return self

    def transform(self, X: Any) -> Array:  # noqa: N803
        """Rows (n, columns) -> latent means (n, k) float64; nulls of columns that had none in the fit are holes."""
        check_is_fitted(self)
        return self.synthesizer_.encode(self._table(X, reset=False)).to_numpy()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = tags.input_tags.categorical = True
        return tags

    def _table(self, x: Any, reset: bool) -> pd.DataFrame:
        """What was handed in as a DataFrame, its columns counted and named as scikit-learn does."""
        if isinstance(x, pd.DataFrame):
            validate_data(self, x, reset=reset, skip_check_array=True)
            return x
        least = 2 if reset else 1
        matrix = validate_data(
            self, x, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=least
        )
        return pd.DataFrame(matrix, columns=[f"x{i}" for i in range(matrix.shape[1])])


def _seed(random_state: Any) -> int:
    """A seed; scikit-learn's own generators give their next draw."""
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    return seed_of(random_state)
