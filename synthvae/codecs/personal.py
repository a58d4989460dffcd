"""Names, addresses, numbers of people: minted from invented people, never learned.

Row i of a seed is one person: its name is the same in every column, its e-mail address is made of it. What could reach
somebody is out of this world: domains of RFC 2606, addresses of private nets, social security numbers never issued.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthvae.codecs.base import Draw, FitReport, IntArray
from synthvae.codecs.minted import MintedCodec
from synthvae.codecs.noise import UIntArray, key_of, mix, permute
from synthvae.codecs.people import DOMAINS, FAMILY_FIRST, UNSPACED, latin, pool
from synthvae.errors import ParameterError
from synthvae.schema.checkdigits import luhn, mod97

ROOM = 10**7  # rows without a value twice: the last seven digits count
KEPT_DIGITS = {"phone_number": 3, "credit_card_number": 4}  # at the front: who issued the number
LETTER = ord("A") - 10


class PersonalCodec(MintedCodec):
    """Data of invented people."""

    @property
    def report(self) -> FitReport:
        return FitReport(notes=("personal data is minted, not learned",))

    def minted(self, draw: Draw) -> pa.Array:
        people = People(self.column.locale, draw.rows.astype(np.int64), draw.person, self.column.unique)
        return MINTS[self.column.category](people).cast(pa.large_string())

    @property
    def room(self) -> int | None:
        return ROOM if self.column.unique else None

    def check_room(self, rows: int) -> None:
        """ParameterError where ``rows`` values cannot all differ but must."""
        if self.column.unique and rows > ROOM:
            raise ParameterError(
                f"Column {self.column.name!r}: expected at most {ROOM:,} rows, the number of different values of a "
                f"{self.column.category}. Got {rows:,}. Ask for fewer rows, or set unique=False."
            )


class People:
    """The people of some rows (n,)."""

    def __init__(self, locale: str, rows: IntArray, key: int, unique: bool) -> None:
        self.locale, self.rows, self.key, self.unique = locale, rows, key, unique

    def words(self, what: str) -> UIntArray:
        """(n,) random words for one use, the same for a row in every column."""
        return mix(mix(self.rows.view(np.uint64)) ^ np.uint64(key_of(self.key, what)))

    def pick(self, texts: Sequence[str], what: str) -> pa.Array:
        """One of the texts for each row; ``what`` names the choice."""
        places = (self.words(what) % np.uint64(len(texts))).astype(np.int64)
        return pa.array(texts, pa.large_string()).take(pa.array(places))

    def numbers(self) -> pa.Array:
        """(n,) a number of its own for each row, as text."""
        return pa.array(permute(key_of(self.key, "number"), self.rows % ROOM, ROOM).astype(np.int64)).cast(
            pa.large_string()
        )

    def told(self, made: pa.Array, apart: str) -> pa.Array:
        """The values with the row's number behind them where no two may be equal."""
        return _joined(made, self.numbers(), apart=apart) if self.unique else made


def _joined(*parts: pa.Array, apart: str = "") -> pa.Array:
    return pc.binary_join_element_wise(*parts, pa.scalar(apart, pa.large_string()))


def _name(people: People) -> pa.Array:
    first, last = (people.pick(pool(people.locale, part), part) for part in ("first_name", "last_name"))
    language = people.locale.split("_")[0]
    if language in FAMILY_FIRST:
        return _joined(last, first, apart="" if language in UNSPACED else " ")
    return people.told(_joined(first, last, apart=" "), " ")


def _account(people: People) -> pa.Array:
    parts = (people.pick(latin(people.locale, part), part) for part in ("first_name", "last_name"))
    return people.told(_joined(*parts, apart="."), "")


def _email(people: People) -> pa.Array:
    return _joined(_account(people), people.pick(DOMAINS, "domain"), apart="@")


def _url(people: People) -> pa.Array:
    host = people.pick(latin(people.locale, "last_name"), "last_name")
    made = _joined(pa.array(["https://www."] * len(host), pa.large_string()), host)
    return people.told(_joined(made, people.pick([".example"], "top")), "/")


def _ip(people: People) -> pa.Array:
    """10.0.0.0/8, of RFC 1918."""
    number = permute(key_of(people.key, "ip"), people.rows % 2**24, 2**24).astype(np.int64)
    parts = [pa.array(number >> shift & 255).cast(pa.large_string()) for shift in (16, 8, 0)]
    return _joined(pa.array(["10"] * len(number), pa.large_string()), *parts, apart=".")


def _from_pool(people: People, what: str, apart: str | None) -> pa.Array:
    made = people.pick(pool(people.locale, what), what)
    return made if apart is None else people.told(made, apart)


def _ssn(people: People) -> pa.Array:
    """Area numbers from 900 on have never been issued; other countries' as Faker makes them."""
    if people.locale == "en_US":
        return _redrawn(people, ("900-00-0000",), "ssn", 1, _as_they_are)
    return _from_pool(people, "ssn", None)


def _digits(people: People, what: str, finish: Callable[[IntArray, IntArray], None]) -> pa.Array:
    return _redrawn(people, pool(people.locale, what), what, KEPT_DIGITS.get(what, 0), finish)


def _redrawn(
    people: People, texts: Sequence[str], what: str, kept: int, finish: Callable[[IntArray, IntArray], None]
) -> pa.Array:
    """Texts of the pool with all digits but the first ``kept`` drawn anew: the last seven from a permutation."""
    chosen = (people.words(what) % np.uint64(len(texts))).astype(np.int64)
    unique = permute(key_of(people.key, what), people.rows % ROOM, ROOM).astype(np.int64)
    filler = people.words(f"{what} digits")
    order = np.argsort(chosen, kind="stable")
    starts = np.flatnonzero(np.diff(chosen[order], prepend=-1))
    pieces = []
    for part in np.split(order, starts[1:]) if len(order) else []:
        raw = np.frombuffer(texts[chosen[part[0]]].encode(), np.uint8)
        matrix = np.repeat(raw[None], len(part), axis=0)  # (m, bytes)
        places = np.flatnonzero((raw >= 48) & (raw <= 57))[kept:]
        places = places[:-1] if finish is _luhn else places
        for back, place in enumerate(places[::-1]):
            source = unique[part] if back < 7 else filler[part].astype(np.int64) >> 8
            matrix[:, place] = 48 + source // 10 ** (back if back < 7 else back - 7) % 10
        leading = places[:1] if not kept else places[:0]
        matrix[:, leading] = np.where(matrix[:, leading] == 48, 49, matrix[:, leading])  # no house has number 0
        finish(matrix, part)
        offsets = pa.py_buffer(np.arange(len(part) + 1, dtype=np.int64) * matrix.shape[1])
        buffers = [None, offsets, pa.py_buffer(np.ascontiguousarray(matrix))]
        pieces.append(pa.Array.from_buffers(pa.large_string(), len(part), buffers))
    if not pieces:
        return pa.array([], pa.large_string())
    back_in_order = np.empty(len(order), np.int64)
    back_in_order[order] = np.arange(len(order))
    return pa.concat_arrays(pieces).take(pa.array(back_in_order))


def _as_they_are(matrix: IntArray, rows: IntArray) -> None:
    """Nothing to be made lawful."""


def _luhn(matrix: IntArray, rows: IntArray) -> None:
    matrix[:, -1] = 48 + luhn(matrix[:, :-1] - 48)


def _mod97(matrix: IntArray, rows: IntArray) -> None:
    """Country, check digits, account: the check is of the account, then the country."""
    turned = np.concatenate([matrix[:, 4:], matrix[:, :2]], axis=1).astype(np.int64)
    check = mod97(np.where(turned > 57, turned - LETTER, turned - 48))
    matrix[:, 2], matrix[:, 3] = 48 + check // 10, 48 + check % 10


MINTS: dict[str, Callable[[People], pa.Array]] = {
    "name": _name,
    "first_name": partial(_from_pool, what="first_name", apart=None),
    "last_name": partial(_from_pool, what="last_name", apart=None),
    "email": _email,
    "username": _account,
    "phone": partial(_digits, what="phone_number", finish=_as_they_are),
    "address": partial(_digits, what="address", finish=_as_they_are),
    "street": partial(_digits, what="street_address", finish=_as_they_are),
    "city": partial(_from_pool, what="city", apart=None),
    "company": partial(_from_pool, what="company", apart=" "),
    "iban": partial(_digits, what="iban", finish=_mod97),
    "credit_card": partial(_digits, what="credit_card_number", finish=_luhn),
    "ssn": _ssn,
    "ip": _ip,
    "url": _url,
}
