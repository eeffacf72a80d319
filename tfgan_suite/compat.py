"""The one place that loads TF-GAN 2.1 (losses, eval, features) and TensorFlow Addons 0.23 (image, losses, metrics) on TensorFlow 2.21 / Keras 3.

Both projects have ended, and neither can be imported whole any more:

- `import tensorflow_gan` runs a top-level `__init__` that pulls in `tf.estimator`, which TensorFlow removed.
- `import tensorflow_addons` reads `keras.src.engine.keras_tensor`, which Keras 3 removed, and subclasses Keras 2 layers and optimizers.

The parts used here do not depend on what is gone. So a load puts *bare* packages (a path, no code) in place of the top-level `__init__` files, and
stubs in place of the removed Keras modules, imports the wanted part, and takes the bare packages and the stubs out of `sys.modules` again, so that
nobody mistakes them for the real ones. What stays are the real submodules (`tensorflow_gan.python.eval`, `tensorflow_addons.image`, ...).

Caveat: a plain `import tensorflow_gan` or `import tensorflow_addons` fails after a load just as it does before; use the functions below.
When either of them works again the detour should go (`tests/compat_test.py` notices).

Importing this module imports neither project; each function loads on its first call (seconds for `tfgan_eval`, which needs TensorFlow Probability
and TensorFlow Hub) and returns the same module afterwards. All raise ImportError with the remedy when a package is missing or cannot be loaded.
"""

import contextlib
import functools
import importlib
import importlib.machinery
import importlib.util
import logging
import sys
import threading
import types
import warnings
from collections.abc import Iterator, Mapping

import keras

_INSTALL = {"tensorflow_gan": "tensorflow-gan==2.1.0", "tensorflow_addons": "tensorflow-addons==0.23.0"}
_ON_STUBS = "tensorflow_addons.utils.types"  # the one module that reads the stubs; others copy its names, so it need not stay
_LOCK = threading.RLock()  # sys.modules is changed for the time of a load


@functools.cache
def tfgan_losses() -> types.ModuleType:
    """TF-GAN's losses on plain tensors (`tfgan.losses.wargs`): `wasserstein_discriminator_loss(real, fake)`, ...

    They reduce to the mean unless told. Two differ from their papers: the minimax and modified discriminator losses smooth the real labels by 0.25
    unless `label_smoothing=0.0`, and the relativistic losses are the sum over both players' halves, twice the averaged form.
    """
    return _load("tensorflow_gan.python.losses.losses_wargs")


@functools.cache
def tfgan_eval() -> types.ModuleType:
    """TF-GAN's evaluation: Frechet, kernel and classifier scores from activations, and its Inception on TensorFlow Hub (`INCEPTION_TFHUB`)."""
    return _load("tensorflow_gan.python.eval")


@functools.cache
def tfgan_features() -> types.ModuleType:
    """TF-GAN's features: `tensor_pool`, `compute_spectral_norm`, `instance_norm`, `group_norm`, `VBN`: in a TensorFlow 1 graph only (`tf.Graph`).

    `condition_tensor` and `condition_tensor_from_onehot` call `tf.layers`, which Keras 3 does not have.
    """
    return _load("tensorflow_gan.python.features")


@functools.cache
def tfa_image() -> types.ModuleType:
    """TensorFlow Addons' image ops: `translate`, `rotate`, `cutout`, `gaussian_filter2d`, `sharpness`, ...

    `translate_xy` and `shear_x/y` are eager-only; `random_cutout` and `random_hsv_in_yiq` are stateful, so a pipeline with them cannot be
    checkpointed; `resampler`, `euclidean_dist_transform` and `connected_components` need a compiled library that does not load on this TensorFlow.
    """
    return _load("tensorflow_addons.image")


@functools.cache
def tfa_losses() -> types.ModuleType:
    """TensorFlow Addons' losses: `triplet_semihard_loss`, `npairs_loss`, `sigmoid_focal_crossentropy`, ..."""
    return _load("tensorflow_addons.losses")


@functools.cache
def tfa_metrics() -> types.ModuleType:
    """TensorFlow Addons' metrics: the functions `hamming_distance`, `hamming_loss_fn` and the class `HammingLoss`.

    The classes with matrix-shaped weights (`F1Score`, `CohenKappa`, ...) load, but their constructors fail on Keras 3.
    """
    return _load("tensorflow_addons.metrics")


@contextlib.contextmanager
def without_deprecation_logs() -> Iterator[None]:
    """Drops TensorFlow's "is deprecated and will be removed" records, and no others, while TF-GAN's or TFA's old calls run."""
    logger = logging.getLogger("tensorflow")

    def keep(record: logging.LogRecord) -> bool:
        return "is deprecated and will be removed" not in str(record.msg)

    logger.addFilter(keep)
    try:
        yield
    finally:
        logger.removeFilter(keep)


def _load(name: str) -> types.ModuleType:
    """Imports the submodule `name` without running the `__init__` of the packages that cannot be imported."""
    project = name.partition(".")[0]
    with _LOCK:
        stand_ins = _bare_packages(project) | (_removed_keras_modules() if project == "tensorflow_addons" else {})
        with _temporarily(stand_ins), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return importlib.import_module(name)
            except Exception as error:
                raise ImportError(
                    f"{name} could not be loaded: {type(error).__name__}: {error}. It is known to load with {_INSTALL[project]}, TensorFlow 2.21 and "
                    f"Keras 3.15; `pip install -r requirements.txt` installs the versions this project was tested with."
                ) from error


@functools.cache
def _bare_packages(project: str) -> dict[str, types.ModuleType]:
    """Modules with the path of the real packages and none of their code. Cached, so that a later load finds what an earlier one bound to them."""
    spec = importlib.util.find_spec(project)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(f"{project} is not installed. Install it with: pip install {_INSTALL[project]}")
    packages = {project: _package(project, spec)}
    if project == "tensorflow_gan":
        inner = "tensorflow_gan.python"
        inner_spec = importlib.machinery.PathFinder.find_spec(inner, list(spec.submodule_search_locations))
        if inner_spec is None:
            raise ImportError(f"{project} has no package {inner!r}: another project of that name? Install TF-GAN: pip install {_INSTALL[project]}")
        packages[inner] = _package(inner, inner_spec)
        packages[project].python = packages[inner]
    return packages


def _package(name: str, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
    package = types.ModuleType(name)
    package.__path__ = list(spec.submodule_search_locations)
    package.__spec__ = spec
    return package


def _removed_keras_modules() -> dict[str, types.ModuleType]:
    """What TFA's type aliases read from Keras 2."""
    engine, tensor = types.ModuleType("keras.src.engine"), types.ModuleType("keras.src.engine.keras_tensor")
    engine.keras_tensor = tensor
    tensor.KerasTensor = keras.KerasTensor
    return {engine.__name__: engine, tensor.__name__: tensor}


@contextlib.contextmanager
def _temporarily(modules: Mapping[str, types.ModuleType]) -> Iterator[None]:
    """Puts `modules` into `sys.modules` where the name is free, and takes exactly those out again."""
    added = {name: module for name, module in modules.items() if name not in sys.modules}
    sys.modules.update(added)
    try:
        yield
    finally:
        for name, module in added.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
        if "keras.src.engine" in added:
            sys.modules.pop(_ON_STUBS, None)
