"""The latent space: where people lie, who is near whom, what a dimension is about, what would have to change."""

import sys
import tempfile
from pathlib import Path

import synthvae as sv
from synthvae.demo.run import load_adult

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else None  # None: as many as the table's size asks for

adult = load_adult().to_pandas().head(4000)
model = sv.Synthesizer(epochs=EPOCHS, random_state=0).fit(adult)

z = model.encode(adult.head(5))  # a row may have holes: leave columns out, or cells null
print(z.round(2))
print(model.decode(z)[["age", "education", "occupation", "income"]])  # what the latent alone says of them

report = model.latent_report()  # which columns each dimension moves, told from the model's own rows
print(report)
with tempfile.TemporaryDirectory() as folder:
    report.to_html(Path(folder) / "latent.html", column="income")

# From one person to another, every step a plausible person.
a, b = adult.iloc[0], adult.iloc[7]
print(model.interpolate(a, b, steps=5)[["age", "education", "occupation", "hours-per-week", "income"]])

# One dimension turned, the others fixed.
busiest = report.table.dimension.iloc[0] if len(report.table) else "z0"
print(model.traverse(a, busiest, [-2, -1, 0, 1, 2])[["age", "education", "occupation", "income"]])

# Towards a higher income: the unit vector along which its probability rises fastest.
way = model.direction("income", ">50K")
print(model.decode(z + 2 * way)["income"].tolist())

# The nearest plausible row that earns more, of the same age, sex and origin.
poor = adult[adult.income == "<=50K"].iloc[0]
found = model.counterfactual(poor, {"income": ">50K"}, keep=["age", "sex", "race", "native-country"], n=3)
print(found.facts)
assert (found.rows.income == ">50K").all()

near = model.neighbours(adult, adult.head(2), k=3)
print(near)
