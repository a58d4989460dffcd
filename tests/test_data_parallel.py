"""Two devices learn what one does: each takes half of every batch."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed")


def fitted(path: Path, devices: int) -> dict[str, np.ndarray]:
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": str(ROOT),
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
    }
    run = [sys.executable, str(ROOT / "tests" / "data_parallel.py"), str(path)]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with np.load(path) as file:
        return dict(file)


@pytest.mark.slow
def test_two_devices_learn_what_one_does(tmp_path: Path) -> None:
    one, two = (fitted(tmp_path / f"{count}.npz", count) for count in (1, 2))
    assert (int(one["devices"]), int(two["devices"])) == (1, 2)
    np.testing.assert_allclose(two["losses"], one["losses"], rtol=0.02)
    assert two["losses"][-1] < 0.7 * two["losses"][0]
