"""The latent space as a tool: what a fitted ``Synthesizer`` is asked about where rows lie.

An abstract class: it states the questions, ``Synthesizer`` fills in what they need.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

import numpy as np
import pandas as pd
import pyarrow as pa

from synthvae import tables
from synthvae.errors import ParameterError
from synthvae.generation import anomaly, latent, path, steer
from synthvae.generation.anomaly import LeaveOut
from synthvae.generation.counterfactual import Counterfactual, counterfactuals
from synthvae.generation.fill import cells, most_likely
from synthvae.generation.latent import Latents
from synthvae.generation.noise import seed_of
from synthvae.networks.layout import Array
from synthvae.schema.columns import Column
from synthvae.schema.conditions import Wish
from synthvae.schema.schema import Schema
from synthvae.training.trainer import ACTIVE_NATS

if TYPE_CHECKING:
    from synthvae.generation.latent_report import LatentReport

RandomState = int | np.random.Generator | None
Where = str | Mapping[str, Any]
Row: TypeAlias = "Mapping[str, Any] | pd.Series[Any] | pd.DataFrame"  # Series takes no index when run


class LatentTools(ABC):
    """Rows <-> latents, and what can be asked of them.

    Wherever a table or a row comes in it may have holes: missing columns, and nulls of columns that never had one.
    """

    schema_: Schema
    history_: pd.DataFrame
    _latents: Latents
    _apart: LeaveOut

    @abstractmethod
    def _check_fitted(self) -> None: ...

    @abstractmethod
    def _column(self, name: str) -> Column: ...

    @abstractmethod
    def _wishes(self, where: Where) -> dict[str, Wish]: ...

    @overload
    def encode(self, table: Any, std: Literal[False] = False) -> pd.DataFrame: ...

    @overload
    def encode(self, table: Any, std: Literal[True]) -> tuple[pd.DataFrame, pd.DataFrame]: ...

    def encode(self, table: Any, std: bool = False) -> pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]:
        """Where rows lie in the latent space: the means of q(z | known cells), columns z0, z1, ..., index as given.

        std: their standard deviations as well, as a second frame. z of all rows together is about standard normal; a
        dimension of mean 0 and standard deviation 1 for every row is idle. Nothing is drawn.

        >>> import pandas as pd, synthvae as sv
        >>> people = pd.DataFrame({"age": [23, 35, 41, 58, 62] * 20, "smokes": [True, False] * 50})
        >>> model = sv.Synthesizer(epochs=2, latent_dim=4, random_state=0).fit(people)
        >>> model.encode(people.head(3)).shape
        (3, 4)
        """
        arrow, _, index, holes = self._given(table)
        mean, deviation = latent.moments(self._latents, arrow, holes)
        return (latent.framed(mean, index), latent.framed(deviation, index)) if std else latent.framed(mean, index)

    def decode(self, z: Any, random_state: RandomState = None) -> Any:
        """The rows that latents (n, k) tell by themselves, as a table of the kind that was fitted.

        random_state None: most likely rows, cell after cell the mode of names and the median of numbers and dates. A
        random_state: draws from p(row | z). Identifiers are minted. Raises ParameterError where z is no such matrix.
        """
        self._check_fitted()
        made = self._latents.table(latent.checked(z, self._latents.k), _drawn(random_state))
        return self.schema_.restore(made, z.index if isinstance(z, pd.DataFrame) else None)

    def reconstruct(self, table: Any, random_state: RandomState = None) -> Any:
        """What is left of rows when they are told by their latent means alone, in the table's own kind and index.

        How much comes back says how much the latent carries; the rest the model keeps in how columns follow from one
        another. random_state: as for ``decode``.
        """
        arrow, container, index, holes = self._given(table)
        mean, _ = latent.moments(self._latents, arrow, holes)
        made = self._latents.table(mean, _drawn(random_state))
        return self.schema_.carried_by(container).restore(made, index)

    def interpolate(self, row_a: Row, row_b: Row, steps: int = 7, where: Where | None = None) -> Any:
        """A path of ``steps`` plausible rows that begins with ``row_a`` and ends with ``row_b``.

        A row is a mapping, a Series or a table of one row; its holes are filled with what is most likely. Cells that
        both rows share are shared by all. where: what every row between must be, in the words of ``sample``;
        ConditionError where a row itself is not so.
        """
        ends = pa.concat_tables([self._row("row_a", row_a), self._row("row_b", row_b)], promote_options="permissive")
        arrow, _, _, holes = self._given(ends)
        steps = _at_least("steps", steps, 2)
        return self.schema_.restore(path.path(self._latents, arrow, holes, steps, self._wishes(where or {})))

    def traverse(self, row: Row, dim: int | str, values: Iterable[float]) -> Any:
        """The rows that a row's latent tells while one dimension (3 or "z3") takes the given values, other ones fixed.

        A row for each value; in pandas the values are the index.
        """
        arrow, _, _, holes = self._given(self._row("row", row))
        place = latent.dimension(dim, self._latents.k)
        moved = latent.checked(np.reshape(np.array(list(values)), (-1, 1)), 1)[:, 0]
        z = np.repeat(latent.moments(self._latents, arrow, holes)[0], len(moved), axis=0)
        z[:, place] = moved
        return self.schema_.restore(self._latents.table(z, None), pd.Index(moved, name=f"z{place}"))

    def neighbours(self, table: Any, rows: Any, k: int = 5) -> pd.DataFrame:
        """The ``k`` rows of ``table`` that lie nearest to each of ``rows`` in the latent space.

        A line for each pair: ``row`` and ``neighbour`` (index labels of a DataFrame, else positions), ``rank`` from 1,
        and ``distance``, Euclidean between latent means: alike is what the model holds for alike.
        """
        (z, labels), (asked, names) = ((f.to_numpy(), f.index) for f in (self.encode(table), self.encode(rows)))
        if _at_least("k", k, 1) > len(z):
            raise ParameterError(f"k must be at most the number of rows of the table, {len(z):,}; got {k:,}.")
        from sklearn.neighbors import NearestNeighbors  # a second that only this method should cost

        distances, places = NearestNeighbors(n_neighbors=k).fit(z).kneighbors(asked)
        found = {"row": names.repeat(k), "rank": np.tile(np.arange(1, k + 1), len(asked))}
        return pd.DataFrame(found | {"neighbour": labels[places.ravel()], "distance": distances.ravel()})

    def anomaly_score(self, table: Any, *, random_state: RandomState = None) -> pd.DataFrame:
        """How strange rows are (``score``) and which of their cells: a column for each column of the table, which add
        up to the score; higher is stranger.

        A cell is strange where it does not go with the other cells, or where its value is rare by itself: half the sum
        of the squares of both, in standard deviations (``generation.anomaly`` has the formula), so 2 is a cell two
        deviations off. How likely a row is as a whole says ``log_prob``. A hole has no figure (NaN), an identifier 0. A
        column that is itself called score follows as "score (cell)". The same ``random_state`` gives the same
        estimate. ``expected`` says what would have been likely.

        >>> import pandas as pd, synthvae as sv
        >>> people = pd.DataFrame({"age": [23, 35, 41, 58, 62] * 20, "smokes": [True, False] * 50})
        >>> model = sv.Synthesizer(epochs=2, random_state=0).fit(people)
        >>> list(model.anomaly_score(people.head(2)).columns)
        ['score', 'age', 'smokes']
        """
        arrow, _, index, holes = self._given(table)
        (tokens, known), seed = self._cells(arrow, holes), seed_of(random_state or 0)
        each = anomaly.strangeness(self._apart, arrow, tokens, known, seed)
        apart = {"score (cell)" if name == "score" else name: nats for name, nats in each.items()}
        return pd.DataFrame({"score": np.nansum(list(each.values()), axis=0), **apart}, index=index)

    def expected(self, table: Any, *, random_state: RandomState = None) -> Any:
        """What each cell would most likely be given the other cells of its row, in the table's own kind and index.

        The mode of names, the median of numbers and dates, null where that is likelier than any value; a hole does not
        count for the others. Identifiers stay as they are.
        """
        arrow, container, index, holes = self._given(table)
        tokens, known = self._cells(arrow, holes)
        made = anomaly.likeliest(self._apart, arrow, tokens, known, seed_of(random_state or 0))
        return self.schema_.carried_by(container).restore(made, index)

    def direction(self, column: str, value: Any, *, random_state: RandomState = None) -> pd.Series[Any]:
        """The unit vector of the latent space that leads towards an attribute fastest: (k,), index z0, z1, ...

        value: what the column is to be, in the words of ``sample``: a value, a list of values, ``Between``, ``NULL``.
        ``encode(rows) + 2 * direction`` is two standard deviations further that way. Learned from the model alone;
        warns where the latent hardly carries the attribute.
        """
        self._column(column)
        unit = steer.direction(self._latents.completer, self._wishes({column: value}), seed_of(random_state or 0))
        return pd.Series(unit, index=pd.Index(latent.names(len(unit))), name=column)

    def counterfactual(
        self, row: Row, where: Where, keep: Sequence[str] = (), n: int = 1, *, random_state: RandomState = None
    ) -> Counterfactual:
        """The nearest plausible rows to ``row`` that meet a condition.

        where: in the words of ``sample``. keep: columns that must stay as they are (age, sex). n: how many rows, at
        most. A row is plausible where its other cells rather have the wished values than the row's own; those that
        change fewer cells come first. Holes of ``row`` are filled with what is most likely. Raises ConditionError
        where a column to be kept is wished otherwise.
        """
        arrow, _, _, holes = self._given(self._row("row", row))
        known = {self._column(name).name for name in keep}
        completer, seed = self._latents.completer, seed_of(random_state or 0)
        whole = most_likely(completer, arrow, holes, seed) if holes else arrow
        found = counterfactuals(completer, whole, self._wishes(where), known, _at_least("n", n, 1), seed)
        return Counterfactual(self.schema_.restore(found.table), found.facts)

    def latent_report(self, *, random_state: RandomState = None) -> LatentReport:
        """Which columns each dimension of the latent moves, and how much, told from rows that the model makes itself.

        ``print`` it, look at its ``table``, or write it with ``to_html``. Dimensions that carry less than 0.02 nats are
        idle and left out.
        """
        from synthvae.generation.dimensions import reported  # drawing libraries that only this method should load

        self._check_fitted()
        kept = self.history_[self.history_.kept == 1].iloc[-1]
        nats = kept[[f"kl {i}" for i in range(self._latents.k)]].to_numpy(np.float64)
        return reported(self._latents, nats, ACTIVE_NATS, seed_of(random_state or 0))

    def _cells(self, arrow: pa.Table, holes: dict[str, Array]) -> tuple[Array, Array]:
        """Tokens (n, b) and which of them are known (n, b)."""
        return cells(self._latents.codec, arrow, holes)

    def _given(self, table: Any) -> tuple[pa.Table, tables.Container, pd.Index | None, dict[str, Array]]:
        """A table as Arrow in the schema's order, its kind, its index and where its holes are."""
        self._check_fitted()
        arrow, container = tables.read(table)
        lawful = self.schema_.check(arrow, holes=True)
        holes = latent.lacking(self._latents.codec, lawful, arrow.column_names)
        return lawful, container, table.index if isinstance(table, pd.DataFrame) else None, holes

    def _row(self, name: str, row: Row) -> pa.Table:
        """One row as an Arrow table; ParameterError where it is none."""
        self._check_fitted()
        given = pd.DataFrame([dict(row)]) if isinstance(row, (Mapping, pd.Series)) else row
        arrow, _ = tables.read(given)
        if arrow.num_rows != 1:
            raise ParameterError(
                f"{name} must be one row: a mapping, a Series or a table of one row; got {arrow.num_rows:,} rows."
            )
        return arrow


def _drawn(random_state: RandomState) -> int | None:
    return None if random_state is None else seed_of(random_state)


def _at_least(name: str, value: Any, least: int) -> int:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise ParameterError(f"{name} must be a whole number of at least {least}; got {value!r}.")
    return int(value)
