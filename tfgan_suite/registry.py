"""The literal tables of what exists, and how a name becomes code. Nothing registers itself; a module is imported when its name is asked for."""

import copy
import importlib
import json
from typing import Any, NamedTuple

from tfgan_suite import experiment as experiments


class Variant(NamedTuple):
    """A row of the table of variants."""

    module: str
    model: str
    """The class in that module."""
    paper: str
    summary: str


VARIANTS = {
    "gan": Variant(
        module="tfgan_suite.models.gan",
        model="MinimaxGan",
        paper="Goodfellow et al. 2014, arXiv:1406.2661",
        summary="The original game, on MLPs or a small convolutional body.",
    ),
    "dcgan": Variant(
        module="tfgan_suite.models.dcgan",
        model="Dcgan",
        paper="Radford et al. 2016, arXiv:1511.06434",
        summary="Strided convolutions with batch normalisation in both players.",
    ),
    "lsgan": Variant(
        module="tfgan_suite.models.lsgan",
        model="Lsgan",
        paper="Mao et al. 2017, arXiv:1611.04076",
        summary="Least squares instead of cross-entropy.",
    ),
    "wgan": Variant(
        module="tfgan_suite.models.wgan",
        model="Wgan",
        paper="Arjovsky et al. 2017, arXiv:1701.07875",
        summary="Wasserstein distance by a weight-clipped critic.",
    ),
    "wgan_gp": Variant(
        module="tfgan_suite.models.wgan_gp",
        model="WganGp",
        paper="Gulrajani et al. 2017, arXiv:1704.00028",
        summary="Wasserstein distance by a critic with a gradient penalty.",
    ),
    "dragan": Variant(
        module="tfgan_suite.models.dragan",
        model="Dragan",
        paper="Kodali et al. 2017, arXiv:1705.07215",
        summary="A gradient penalty around the real images.",
    ),
    "r1": Variant(
        module="tfgan_suite.models.r1",
        model="R1Gan",
        paper="Mescheder et al. 2018, arXiv:1801.04406",
        summary="A zero-centred gradient penalty, and no normalisation.",
    ),
    "fgan": Variant(
        module="tfgan_suite.models.fgan",
        model="Fgan",
        paper="Nowozin et al. 2016, arXiv:1606.00709",
        summary="Any f-divergence, both players moving at once.",
    ),
    "sndcgan": Variant(
        module="tfgan_suite.models.sndcgan",
        model="Sndcgan",
        paper="Miyato et al. 2018, arXiv:1802.05957",
        summary="Spectral normalisation on a convolutional body.",
    ),
    "sngan": Variant(
        module="tfgan_suite.models.sngan",
        model="Sngan",
        paper="Miyato et al. 2018, arXiv:1802.05957",
        summary="Spectral normalisation on a ResNet, with or without classes.",
    ),
    "improved_gan": Variant(
        module="tfgan_suite.models.improved_gan",
        model="ImprovedGan",
        paper="Salimans et al. 2016, arXiv:1606.03498",
        summary="Semi-supervised classification; feature matching, minibatch discrimination, virtual batch normalisation.",
    ),
    "cgan": Variant(
        module="tfgan_suite.models.cgan",
        model="Cgan",
        paper="Mirza and Osindero 2014, arXiv:1411.1784",
        summary="Labels, or the features of another image, concatenated to what both players see.",
    ),
    "acgan": Variant(
        module="tfgan_suite.models.acgan",
        model="Acgan",
        paper="Odena et al. 2017, arXiv:1610.09585",
        summary="A discriminator that classifies besides.",
    ),
    "projection_gan": Variant(
        module="tfgan_suite.models.projection_gan",
        model="ProjectionGan",
        paper="Miyato and Koyama 2018, arXiv:1802.05637",
        summary="The label as an inner product with the discriminator's features.",
    ),
    "sagan": Variant(
        module="tfgan_suite.models.sagan",
        model="Sagan",
        paper="Zhang et al. 2019, arXiv:1805.08318",
        summary="Self-attention and spectral normalisation in both players, each with a learning rate of its own.",
    ),
    "biggan": Variant(
        module="tfgan_suite.models.biggan",
        model="BigGan",
        paper="Brock et al. 2019, arXiv:1809.11096",
        summary="Wide ResNets with hierarchical latents and a shared class embedding.",
    ),
    "contragan": Variant(
        module="tfgan_suite.models.contragan",
        model="ContraGan",
        paper="Kang and Park 2020, arXiv:2006.12681",
        summary="Embeddings drawn together within a class and apart between classes, over the batch.",
    ),
    "reacgan": Variant(
        module="tfgan_suite.models.reacgan",
        model="ReacGan",
        paper="Kang et al. 2021, arXiv:2111.01118",
        summary="An auxiliary classifier of unit vectors, against the batch's images of other classes.",
    ),
    "infogan": Variant(
        module="tfgan_suite.models.infogan",
        model="InfoGan",
        paper="Chen et al. 2016, arXiv:1606.03657",
        summary="Codes that the images tell: categories and degrees found without labels.",
    ),
}

_EXPERIMENT = "tfgan_suite.experiment"
_OPTIMIZERS = "tfgan_suite.core.optimizers"
_PENALTY = "tfgan_suite.losses.gradient_penalty"
_INFORMATION = "tfgan_suite.losses.mutual_information"
_AUGMENT = "pipelines.augment"
_CONSISTENCY = "tfgan_suite.losses.consistency"
_WEIGHTS = "tfgan_suite.losses.weights"
_POLICY = "tfgan_suite.augment.policy"
_SPATIAL = "tfgan_suite.augment.spatial"
_VISUAL = "tfgan_suite.augment.visual"
_MIXING = "tfgan_suite.augment.mixing"

TYPES = {
    "Experiment": _EXPERIMENT,
    "Training": _EXPERIMENT,
    "Transfer": _EXPERIMENT,
    "Checkpointing": _EXPERIMENT,
    "Logging": _EXPERIMENT,
    "Evaluation": _EXPERIMENT,
    "Health": _EXPERIMENT,
    "DatasetConfig": "pipelines.spec",
    "Average": "tfgan_suite.core.averaging",
    "Adaptation": "tfgan_suite.core.augmentation",
    "Adam": _OPTIMIZERS,
    "RMSprop": _OPTIMIZERS,
    "SGD": _OPTIMIZERS,
    "Constant": _OPTIMIZERS,
    "LinearDecay": _OPTIMIZERS,
    "ExponentialDecay": _OPTIMIZERS,
    "Adversarial": "tfgan_suite.losses.adversarial",
    "LeastSquares": "tfgan_suite.losses.least_squares",
    "FDivergence": "tfgan_suite.losses.divergences",
    "AuxiliaryClassifier": "tfgan_suite.losses.auxiliary_classifier",
    "ConditionalContrast": "tfgan_suite.losses.contrastive",
    "ConsistencyRegularization": _CONSISTENCY,
    "BalancedConsistency": _CONSISTENCY,
    "LatentConsistency": _CONSISTENCY,
    "AugmentationContrast": "tfgan_suite.losses.augmentation_contrast",
    "DataToDataCrossEntropy": "tfgan_suite.losses.data_to_data",
    "DropoutNoise": "tfgan_suite.losses.dropout_noise",
    "MutualInformation": _INFORMATION,
    "Categorical": _INFORMATION,
    "Continuous": _INFORMATION,
    "GradientPenalty": _PENALTY,
    "ZeroCenteredGradientPenalty": _PENALTY,
    "R1": _PENALTY,
    "R2": _PENALTY,
    "Dragan": _PENALTY,
    "MatchingAwareGradientPenalty": _PENALTY,
    "Drift": _PENALTY,
    "OrthogonalRegularization": _WEIGHTS,
    "WeightDecay": _WEIGHTS,
    "FeatureMatching": "tfgan_suite.losses.feature_matching",
    "HistoricalAveraging": "tfgan_suite.losses.historical_averaging",
    "SmoothedAdversarial": "tfgan_suite.losses.label_smoothing",
    "SemiSupervised": "tfgan_suite.losses.semi_supervised",
    "Flip": _AUGMENT,
    "PadAndCrop": _AUGMENT,
    "ResizedCrop": _AUGMENT,
    "ColorJitter": _AUGMENT,
    "Rotation": _AUGMENT,
    "Blur": _AUGMENT,
    "Dequantize": _AUGMENT,
    "Sequence": _POLICY,
    "Steady": _POLICY,
    "Annealing": _POLICY,
    "ZoomIn": _SPATIAL,
    "ZoomOut": _SPATIAL,
    "Translation": _SPATIAL,
    "TranslationX": _SPATIAL,
    "TranslationY": _SPATIAL,
    "CutOut": _SPATIAL,
    "Brightness": _VISUAL,
    "Redness": _VISUAL,
    "Greenness": _VISUAL,
    "Blueness": _VISUAL,
    "InstanceNoise": _VISUAL,
    "CutMix": _MIXING,
    "MixUp": _MIXING,
    "FlipAndShift": "tfgan_suite.augment.flip_and_shift",
    "SimclrViews": "tfgan_suite.augment.simclr_views",
    "DiffAugment": "tfgan_suite.augment.diff_augment",
    "AdaptiveAugmentation": "tfgan_suite.augment.adaptive",
}
"""Class name in `experiment.json` -> module. A variant's `Config` is looked up in the variant's own module."""


def names() -> list[str]:
    """Every preset, as `<variant>/<preset>`; imports all variants."""
    return [f"{variant}/{preset}" for variant in VARIANTS for preset in module(variant).PRESETS]


def module(variant: str) -> Any:
    """The variant's module; raises a ValueError with the alternatives."""
    if variant not in VARIANTS:
        raise ValueError(f"Unknown variant {variant!r}. {experiments.nearest(variant, list(VARIANTS))}")
    return importlib.import_module(VARIANTS[variant].module)


def model_class(variant: str) -> type:
    """The variant's `Gan`."""
    return getattr(module(variant), VARIANTS[variant].model)


def experiment(name: str) -> experiments.Experiment:
    """A fresh copy of the preset `<variant>/<preset>`; raises a ValueError with the alternatives."""
    variant, slash, preset = name.partition("/")
    presets = module(variant).PRESETS
    if not slash or preset not in presets:
        raise ValueError(f"Unknown preset {name!r}. {experiments.nearest(name, [f'{variant}/{p}' for p in presets])}")
    return copy.deepcopy(presets[preset])


def phases(experiment: experiments.Experiment) -> tuple:
    """The phases of a run: the variant's own, or one called `train`."""
    from tfgan_suite.core import phase  # core is heavy; the tables above are not

    variant = module(experiment.variant)
    if hasattr(variant, "phases"):
        return variant.phases(experiment)

    def build(data, run, previous):
        return model_class(experiment.variant)(experiment.model, data, run)

    return (phase.Phase(name="train", steps=experiment.training.steps, build=build),)


def load(text: str) -> experiments.Experiment:
    """An experiment from its JSON text; every name, type and value is checked."""
    values = json.loads(text)
    variant = module(values.get("variant", ""))

    def resolve(name: str) -> type:
        if name == "Config":
            return variant.Config
        if name not in TYPES:
            raise ValueError(f"Unknown type {name!r} in an experiment. {experiments.nearest(name, list(TYPES))}")
        return getattr(importlib.import_module(TYPES[name]), name)

    return experiments.from_json(values, experiments.Experiment, resolve)


def dump(experiment: experiments.Experiment) -> str:
    """The JSON text of an experiment."""
    return json.dumps(experiments.to_json(experiment), indent=2, allow_nan=False) + "\n"


def differences(experiment: experiments.Experiment, stored: str) -> list[str]:
    """A line for each field in which `experiment` differs from a stored one (JSON), where fields that are newer than that have their defaults."""
    return experiments.differences(json.loads(dump(experiment)), json.loads(dump(load(stored))))


def checked(experiment: experiments.Experiment) -> experiments.Experiment:
    """A copy in which every field's type and value has been checked anew, for experiments whose fields were set one by one (flags)."""
    return load(dump(experiment))
