"""The models that judge: boosted trees, which see everything, and a linear one, which sees each column alone.

A learner turns a frame into a design and fits rows of it; what it gives back ranks or predicts further rows. One thread
each: threads that wait for each other on a busy machine are slower than one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Protocol

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from synthvae.evaluation.encoding import Design, Frame
from synthvae.evaluation.sides import Array

Predictor = Callable[[Array], Array]
TREES = 100
RIDGE = 1.0  # XGBoost's; without it the leaves of a rare class can run away


class Learner(Protocol):
    """A classifier of two classes."""

    def design(self, frame: Frame) -> Design:
        """The matrix it reads."""

    def fit(self, x: Array, positive: Array, coded: Array) -> Predictor:
        """Learn from rows of the design; the predictor ranks rows, the positive ones above."""


class Boosted:
    """Gradient-boosted trees, as fast and as deep as XGBoost's defaults, by which published scores are made."""

    def design(self, frame: Frame) -> Design:
        return frame.design()

    def fit(self, x: Array, positive: Array, coded: Array) -> Predictor:
        model = HistGradientBoostingClassifier(
            learning_rate=0.3,
            max_depth=6,
            max_iter=TREES,
            l2_regularization=RIDGE,
            early_stopping=False,
            categorical_features=coded,
            random_state=0,
        )
        with threadpool_limits(1):
            model.fit(_with_known(x), positive)
        return _one_thread(model.decision_function)


class Linear:
    """Logistic regression with a light ridge."""

    def design(self, frame: Frame) -> Design:
        return frame.linear_design()

    def fit(self, x: Array, positive: Array, coded: Array) -> Predictor:
        model = LogisticRegression(max_iter=100, tol=1e-3)
        with threadpool_limits(1), warnings.catch_warnings():
            # stopped before the last digit it is a classifier like any other
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(x, positive)
        return _one_thread(model.decision_function)


def class_odds(x: Array, classes: Array, coded: Array, trees: int) -> Predictor:
    """Boosted trees for classes (n,) of whole numbers: rows to (n,) log odds for two, (n, classes) for more."""
    model = HistGradientBoostingClassifier(
        max_iter=trees, l2_regularization=RIDGE, early_stopping=False, categorical_features=coded, random_state=0
    )
    with threadpool_limits(1):
        model.fit(_with_known(x), classes)
    return _one_thread(model.decision_function)


def regression(x: Array, y: Array, coded: Array) -> Predictor:
    """Boosted trees for numbers (n,)."""
    model = HistGradientBoostingRegressor(
        max_iter=TREES, l2_regularization=RIDGE, early_stopping=False, categorical_features=coded, random_state=0
    )
    with threadpool_limits(1):
        model.fit(_with_known(x), y)
    return _one_thread(model.predict)


def _with_known(x: Array) -> Array:
    """The rows (n, c) with 0 in columns where all is unknown: no cut can be found in nothing."""
    blank = np.isnan(x).all(axis=0)
    return np.where(blank, 0.0, x) if blank.any() else x


def _one_thread(predict: Predictor) -> Predictor:
    def alone(x: Array) -> Array:
        with threadpool_limits(1):
            return np.asarray(predict(x))

    return alone
