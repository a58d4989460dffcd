"""Fit, sample, save and reopen: the main job on the census table that ships with the package."""

import sys
import tempfile
from pathlib import Path

import synthvae as sv
from synthvae.demo.run import load_adult

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else None  # None: as many as the table's size asks for

adult = load_adult().to_pandas()
schema = sv.infer_schema(adult)
print(schema)  # read it: this is what the model believes about every column

# The schema is yours to correct. Nobody in this table may be said to be younger than 17.
schema = schema.with_column("age", lower=17)

model = sv.Synthesizer(schema, epochs=EPOCHS, random_state=0).fit(adult)
print(model.history_[["epoch", "loss", "held_out"]].tail(3).to_string(index=False))

fake = model.sample(5, random_state=0)
print(fake.T)
assert fake.dtypes.equals(adult.dtypes)

with tempfile.TemporaryDirectory() as folder:
    model.save(Path(folder) / "adult.synthvae")
    again = sv.load(Path(folder) / "adult.synthvae")
    assert again.sample(5, random_state=0).equals(fake)  # the same rows, from the file alone
