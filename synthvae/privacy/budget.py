"""The promise a user asks for, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

from synthvae.errors import ParameterError


@dataclass(frozen=True)
class Budget:
    """(epsilon, delta)-differential privacy for whoever one row, or one ``unit``, belongs to.

    Neighbouring tables differ by all rows of one unit, added or removed. unit: the column that says who a row belongs
    to; of each unit at most ``rows_per_unit`` rows are used, chosen at random, and rows of nobody (null) are left out.
    unit None: every row is somebody else's, and ``rows_per_unit`` above 1 protects any so many rows together. testing:
    noise may come from a seed, so that a fit can be repeated; whoever knows the seed can take the noise away again, so
    it protects nobody.

    >>> Budget(epsilon=3.0, delta=1e-6).says
    'epsilon 3, delta 1e-06, add or remove one row'
    """

    epsilon: float
    delta: float
    unit: str | None = None
    rows_per_unit: int = 1
    testing: bool = False

    def __post_init__(self) -> None:
        for name, least, most in (("epsilon", 1e-3, 1000.0), ("delta", 1e-12, 0.1)):
            value = getattr(self, name)
            if not isinstance(value, Real) or isinstance(value, bool) or not least <= float(value) <= most:
                raise ParameterError(
                    f"{name} must be a number from {least:g} to {most:g}; got {value!r}. Usual are an epsilon of 1 "
                    "to 10 and a delta well below 1 / number of rows."
                )
            object.__setattr__(self, name, float(value))
        if self.unit is not None and not isinstance(self.unit, str):
            raise ParameterError(f"unit must be the name of a column or None; got {self.unit!r}.")
        if type(self.rows_per_unit) is not int or self.rows_per_unit < 1:
            raise ParameterError(f"rows_per_unit must be a whole number of at least 1; got {self.rows_per_unit!r}.")
        if type(self.testing) is not bool:
            raise ParameterError(f"testing must be True or False; got {self.testing!r}.")

    @property
    def neighbours(self) -> str:
        """What two tables may differ in, in words."""
        rows = "one row" if self.rows_per_unit == 1 else f"up to {self.rows_per_unit} rows"
        if self.unit is None:
            return f"add or remove {rows}"
        return f"add or remove one {self.unit!r} with {rows}"

    @property
    def subject(self) -> str:
        """Whose presence in the table is hidden, in words."""
        if self.unit is not None:
            return f"a {self.unit!r}"
        return "a row" if self.rows_per_unit == 1 else f"a set of {self.rows_per_unit} rows"

    @property
    def says(self) -> str:
        """The promise in one line."""
        said = f"epsilon {self.epsilon:g}, delta {self.delta:g}, {self.neighbours}"
        return f"{said}; FOR TESTING, protects nobody" if self.testing else said
