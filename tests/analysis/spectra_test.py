import json

import analysed
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfgan_suite.analysis import spectra
from tfgan_suite.layers import dense, spectral_norm


def layer_of(values, **options):
    """A layer whose kernel [4, 3] has these singular values."""
    numbers = np.random.default_rng(0)
    left, right = (np.linalg.qr(numbers.normal(size=(n, 3)))[0] for n in (4, 3))
    layer = dense.Dense(3, **options)
    layer.build((None, 4))
    layer.kernel.assign(left * values @ right.T)
    return layer


def test_singular_values_are_those_of_the_kernel():
    np.testing.assert_allclose(spectra.singular_values(layer_of([3.0, 2.0, 0.5])), [3.0, 2.0, 0.5], rtol=1e-5)


def test_a_spectrally_normalised_layer_has_its_gain_as_the_largest():
    layer = layer_of([3.0, 2.0, 0.5], spectral_norm=True, gain=1.5)
    spectral_norm.power_iterations(layer, 200)
    np.testing.assert_allclose(spectra.singular_values(layer), [1.5, 1.0, 0.25], rtol=1e-4)


def test_every_kernel_of_the_trained_networks_is_there_and_none_of_the_averages():
    model = tiny.build()
    found = spectra.spectra(model)
    kernels = [v for network in (model.generator, model.discriminator) for v in network.variables if v.name == "kernel"]
    assert len(found) == len(kernels) and {name.partition("/")[0] for name in found} == {"generator", "discriminator"}
    ranks = sorted(min(int(np.prod(v.shape[:-1])), v.shape[-1]) for v in kernels if len(v.shape) == 2)
    assert sorted(len(s) for name, s in found.items() if "conv" not in name) == ranks


def test_it_writes_numbers_a_figure_and_events_for_every_kept_step(tmp_path):
    model = tiny.build()
    paths = spectra.run(analysed.run(tmp_path, model=model, steps=(2, 4)), analysed.options(), str(tmp_path / "out"))
    values = json.load(open(paths[0]))
    assert list(values) == ["2", "4"] and values["2"].keys() == spectra.spectra(model).keys()
    assert open(paths[1], "rb").read(4) == b"\x89PNG"
    (events,) = (tmp_path / "out" / "tensorboard").iterdir()
    written = [(e.step, v) for e in tf.compat.v1.train.summary_iterator(str(events)) for v in e.summary.value]
    largest = {(step, v.tag): tf.make_ndarray(v.tensor) for step, v in written if v.tag.startswith("largest_singular_value/")}
    assert len(largest) == 2 * len(values["4"])
    for (step, tag), value in largest.items():
        assert value == pytest.approx(values[str(step)][tag.partition("/")[2]][0], rel=1e-6)
