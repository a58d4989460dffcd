"""Missing cells filled: what is most likely, several draws of it, and what a column would be."""

import sys
from pathlib import Path

import pandas as pd

import synthvae as sv

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else None

houses = pd.read_csv(Path(__file__).parent / "data" / "king.csv", parse_dates=["date"])
model = sv.Synthesizer(epochs=EPOCHS, random_state=0).fit(houses)

print(houses.isna().sum()[lambda count: count > 0])
filled = model.impute(houses, random_state=0)
assert filled.index.equals(houses.index)
assert filled.price.equals(houses.price)  # what was known stays

# Multiple imputation: the spread of an estimate over draws is what the missing cells leave open.
draws = model.impute(houses, draws=3, random_state=0)
print([round((table.waterfront == "YES").mean(), 4) for table in draws])

odds = model.predict_proba(houses.head(5), "condition")
print(odds.round(3))
