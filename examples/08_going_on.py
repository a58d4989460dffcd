"""A model goes on from where it is: to a small table of another place, with a column more and one less."""

import sys

import numpy as np

import synthvae as sv
from synthvae.demo.run import load_adult

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else None  # None: as many as the table's size asks for

adult = load_adult().to_pandas()
model = sv.Synthesizer(epochs=EPOCHS, random_state=0).fit(adult.head(4000))

place = adult.iloc[4000:4300].drop(columns="capital-loss").reset_index(drop=True)
place["commute"] = np.random.default_rng(0).choice(["bus", "car", "walk"], len(place))

tuned = model.finetune(place, epochs=EPOCHS, random_state=0)  # a new model; the old one stays as it is
print(tuned.card_["rows"], "rows,", tuned.card_["epochs"], "epochs")
print(tuned.sample(5, random_state=0).T)
assert list(tuned.sample(1, random_state=0).columns) == list(place.columns)

again = model.finetune(adult.head(4000), epochs=EPOCHS, random_state=0)  # the same table: the fit goes on
print(again.card_["held_out_nats"], "nats, before", model.card_["held_out_nats"])
