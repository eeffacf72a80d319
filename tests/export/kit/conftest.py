"""An export folder of two models without the models: its configuration, its versions' files and what they were measured to cost."""

import os
import types

import pytest

from export import serving_config
from export.kit import cost, served

FIRST = cost.Cost(
    signature="sample_png",
    signatures=3,
    batch_sizes=4,
    cores=2,
    load_seconds=0.5,
    one=cost.Call(rows=1, seconds=0.02, cpu_seconds=0.03, peak_bytes=3_000_000),
    largest=cost.Call(rows=8, seconds=0.25, cpu_seconds=2.5, peak_bytes=100 * 2**20),
)


def add_version(folder, model, number, measured=None, size=1000):
    """A directory that a server would take for a version, of so many bytes."""
    directory = folder / model / str(number)
    (directory / "assets.extra").mkdir(parents=True)
    (directory / "saved_model.pb").write_bytes(b"x" * size)
    if measured:
        cost.write(str(directory), measured)
    serving_config.update(str(folder), model, "/models", (1, 2, 4, 8), sorted(int(name) for name in os.listdir(folder / model)))


@pytest.fixture
def folder(tmp_path):
    """`.path`: an export folder with the versions 1 and 2 of `toy`, measured, and 1 of `other`, not measured; `.served`, `.add(model, number)`."""
    path = tmp_path / "out"
    path.mkdir()
    add_version(path, "toy", 1, FIRST)
    add_version(path, "toy", 2, FIRST, size=50 * 2**20)
    add_version(path, "other", 1)
    return types.SimpleNamespace(path=path, served=served.read(str(path), "/models"), add=lambda *arguments: add_version(path, *arguments))
