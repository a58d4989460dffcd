"""Which rows are strange, which of their cells, and what would have been expected there."""

import sys

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import synthvae as sv
from synthvae.demo.run import load_adult

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else None  # None: as many as the table's size asks for

adult = load_adult().to_pandas().head(4000)
train, test = adult.head(3500), adult.tail(500).copy()
model = sv.Synthesizer(epochs=EPOCHS, random_state=0).fit(train)

husbands = test.index[test.relationship == "Husband"][:20]
test.loc[husbands, "marital-status"] = "Never-married"  # common values, but not together

scored = model.anomaly_score(test)
strangest = scored.score.nlargest(10).index
print(scored.loc[strangest].round(1).T)

# The cells add up to the score: which one is it?
print(scored.drop(columns="score").loc[husbands].idxmax(axis=1).value_counts())
print(model.expected(test.loc[husbands])["marital-status"].value_counts())
assert np.isfinite(scored).all(axis=None)

# The latent as features of another model.
transformer = sv.LatentTransformer(epochs=EPOCHS, latent_dim=8, random_state=0)
pipe = make_pipeline(transformer, LogisticRegression(max_iter=1000))
pipe.fit(train.drop(columns="income"), train.income)
print(f"accuracy from latents alone: {pipe.score(test.drop(columns='income'), test.income):.3f}")
