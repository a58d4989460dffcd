"""Shares as wished: several columns at once, a balanced training set and what it brings, weights at fit."""

import sys

import synthvae as sv
from synthvae.demo.run import load_adult

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else None

adult = load_adult().to_pandas()
train, holdout = adult.iloc[:5000], adult.iloc[5000:8000]
model = sv.Synthesizer(epochs=EPOCHS, random_state=0).fit(train)

fair = model.sample(2000, targets={"income": {">50K": 0.5}, "sex": {"Female": 0.5}}, random_state=0)
print(fair.groupby(["sex", "income"], observed=True).size())

larger = model.augment(train, "income", holdout=holdout, random_state=0)
print(f"{larger.added:,} rows added; {larger.lift.measure} {larger.lift.value:+.3f}: {larger.lift.note}")

weights = train.income.eq(">50K") * 3 + 1  # the rich count four times
heavy = sv.Synthesizer(epochs=EPOCHS, random_state=0).fit(train, sample_weight=weights)
print(heavy.sample(2000, random_state=0).income.value_counts(normalize=True))
