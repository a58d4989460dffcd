"""Rules between columns: found in the table, written by hand, exact in every synthetic row."""

import sys
from pathlib import Path

import pandas as pd

import synthvae as sv

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else None

houses = pd.read_csv(Path(__file__).parent / "data" / "king.csv", parse_dates=["date"])
schema = sv.infer_schema(houses)
print([rule.says for rule in schema.constraints])  # found beyond doubt: these hold
print([rule.says for rule in schema.proposals])  # likely: schema.accept() takes them

# Nobody renovates before building; 0 says that nobody renovated.
schema = schema.with_constraints(sv.Inequality(("yr_built", "yr_renovated"), exempt=(0,)))
model = sv.Synthesizer(schema, epochs=EPOCHS, random_state=0).fit(houses)

fake = model.sample(1000, random_state=0)
known = fake.dropna(subset=["sqft_basement"])
assert (known.sqft_above + known.sqft_basement == known.sqft_living).all()
renovated = fake[fake.yr_renovated.fillna(0) > 0]
assert (renovated.yr_renovated >= renovated.yr_built).all()

# A condition on a computed column is met too.
large = model.sample(100, where="sqft_living >= 3000", random_state=0)
assert (large.sqft_living >= 3000).all()
print(large.head(3).T)
