"""A fit from a folder of files, and rows written as parts by several processes; the same call goes on if it is killed.

Nothing here changes with size: past a million rows (or a GiB) the folder is read batch by batch, and memory stays flat.
"""

import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

import synthvae as sv
from synthvae.demo.run import load_adult

EPOCHS = int(sys.argv[1]) if len(sys.argv) > 1 else None  # None: as many as the table's size asks for


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        real, fake = Path(folder) / "real", Path(folder) / "fake"
        real.mkdir()
        adult = load_adult()
        for place in range(3):
            pq.write_table(adult.slice(place * 2000, 2000), real / f"{place}.parquet")

        model = sv.Synthesizer(epochs=EPOCHS, random_state=0).fit(real)

        # engine="ray" or "spark" does the same on a cluster, a URL such as s3://bucket/fake is a folder, too
        model.write(fake, 6000, engine="local", workers=2, rows_per_part=2000, random_state=1)
        print(*sorted(path.name for path in fake.iterdir()))

        model.write(fake, 6000, rows_per_part=2000, resume=True)  # nothing is left to do
        whole = model.sample(6000, random_state=1)
        assert pq.read_table(fake).to_pandas().equals(whole)  # the rows of one call, whoever made them


if __name__ == "__main__":  # worker processes load this file, too
    main()
