"""Rows as wished: conditions on values, ranges, dates and nulls, met without throwing rows away."""

import sys
from pathlib import Path

import pandas as pd

import synthvae as sv
from synthvae.errors import ConditionError

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else None  # None: as many as the table's size asks for

listings = pd.read_csv(Path(__file__).parent / "data" / "airbnb_nyc.csv", parse_dates=["last_review"])
model = sv.Synthesizer(epochs=EPOCHS, random_state=0).fit(listings)

# As text, or as a mapping from column to what it may be.
lofts = model.sample(200, where="room_type == 'Entire home/apt' and price >= 150", random_state=1)
assert (lofts.price >= 150).all()
print(lofts.head(3).T)

where = {
    "neighbourhood_group": sv.OneOf("Brooklyn", "Queens"),
    "last_review": sv.Between("2019-01-01", "2019-06-30"),
    "reviews_per_month": sv.NOT_NULL,
}
print(model.odds({"neighbourhood_group": where["neighbourhood_group"], "price": sv.Between(150, None)}, random_state=1))
recent = model.sample(200, where=where, random_state=1)
assert recent.last_review.between("2019-01-01", "2019-06-30").all()

# Rows of which something is known: the rest is drawn to go with it.
known = pd.DataFrame({"neighbourhood": ["Harlem", "Williamsburg"], "price": [60, None]})
print(model.sample(where=known, random_state=1).T)

# What cannot be says so, and says what can.
try:
    model.sample(5, where={"room_type": "Castle"})
except ConditionError as error:
    print(error)
