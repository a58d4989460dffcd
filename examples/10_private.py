"""Differential privacy: a fit within a budget, and the ledger that says where it went."""

import sys

import pandas as pd

import synthvae as sv
from synthvae.demo.run import load_adult

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else None  # None: as many as the table's size asks for

adult = load_adult().to_pandas()
# delta, the chance that the promise does not hold, is well below one person's share of the table
budget = sv.Budget(epsilon=3.0, delta=len(adult) ** -1.1)
model = sv.Synthesizer(budget=budget, epochs=EPOCHS).fit(adult)  # no random_state: it would give the noise away

ledger = model.card_["privacy"]
print(f"{ledger['promise']}: spent epsilon {ledger['spent_epsilon']:.3f}")
for payment in ledger["payments"]:
    print(f"  alone {payment['epsilon_alone']:.3f}  {payment['what']}")
print(model.sample(5, random_state=0).T)  # whatever is made of the model is covered too

# A schema from what everybody knows, not from the rows, costs nothing and saves budget.
known = pd.DataFrame({"age": [17, 90] * 20, "sex": ["Female", "Male"] * 20, "income": ["<=50K", ">50K"] * 20})
schema = sv.infer_schema(known, exact=True, kinds={"age": "numeric"}, rules=False)
strict = sv.Synthesizer(schema, budget=sv.Budget(1.0, 1e-6), epochs=EPOCHS).fit(adult[list(known.columns)])
print(strict.sample(3, random_state=0))
