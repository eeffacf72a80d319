"""Cntr: the discriminator also learns to tell images apart whatever their augmentation. Zhao et al. 2020, arXiv:2006.02595, section 5.

A second head gives two augmentations of one image embeddings that are near each other and far from those of other images (SimCLR, Chen et al. 2020).
Real images are contrasted with real ones, fakes with fakes. The generator has no part of it.

The paper does not print the head, the temperature and the exact augmentations; they are SimCLR's here.
"""

import dataclasses
from typing import ClassVar

import keras

from tfgan_suite.augment import policy, simclr_views
from tfgan_suite.losses import contrastive, term

EMBEDDING_SIZE = 128
"""Of the head's output (Chen et al. 2020)."""
PROJECTIONS = {
    "dense_relu_dense": lambda size: (_dense(size, "relu"), _dense(EMBEDDING_SIZE)),
    "affine_relu": lambda size: (_dense(EMBEDDING_SIZE, "relu"),),
}
"""Name -> (units of the hidden layer -> the layers between features and embedding), without normalisation. The first is SimCLR's."""
HEAD = "contrast_embedding"


@dataclasses.dataclass(kw_only=True)
class AugmentationContrast(term.Term):
    """Cntr, a term of the discriminator: NT-Xent of two augmentations of every real image, plus that of every fake one.

    Brings its head along, on the head "features" of any discriminator: "contrast_embedding" [b, 128].
    """

    heads: ClassVar[tuple[str, ...]] = ("features", HEAD)
    pairs_views: ClassVar[bool] = True

    weight: float = 0.1
    """lambda_Cntr of the paper."""
    temperature: float = 0.5
    """Of NT-Xent; SimCLR's for CIFAR-10."""
    augmentation: policy.Augmentation = dataclasses.field(default_factory=simclr_views.SimclrViews)
    projection: str = "dense_relu_dense"
    """A name in `PROJECTIONS`."""
    hidden_size: int = 0
    """Units of the head's hidden layer; 0 takes as many as there are features (SimCLR), which is much where features are a whole map."""
    gather: str = "exact"
    """A name in `contrastive.GATHERS`."""

    def __post_init__(self):
        term.check_weights(self, "weight")
        contrastive.check_temperature("AugmentationContrast", self.temperature)
        contrastive.check_gather("AugmentationContrast", self.gather)
        if self.projection not in PROJECTIONS:
            raise ValueError(f"AugmentationContrast: projection={self.projection!r} is unknown. It is one of {', '.join(PROJECTIONS)}.")
        if self.hidden_size < 0:
            raise ValueError(
                f"AugmentationContrast.hidden_size is at least 0, which stands for the size of the features. Received: {self.hidden_size}."
            )
        if self.augmentation.mixes:
            raise ValueError(
                f"AugmentationContrast tells images apart, and {type(self.augmentation).__name__} makes one of two. Choose an augmentation that "
                "looks at one image at a time, such as SimclrViews."
            )

    @property
    def augmentations(self):
        return (self.augmentation,)

    def extend(self, discriminator):
        outputs = dict(discriminator.output)
        if "features" not in outputs:  # the check of heads says so
            return discriminator
        x = outputs["features"]
        for layer in PROJECTIONS[self.projection](self.hidden_size or x.shape[-1]):
            x = layer(x)
        return keras.Model({i.name: i for i in discriminator.inputs}, outputs | {HEAD: x}, name=discriminator.name)

    def views(self, views, step):
        names = [(name, i) for name in ("real", "fake") for i in (0, 1)]
        return {self._view(name, i): step.augment(self.augmentation, views[name], f"{name} {i}") for name, i in names}

    def discriminator_loss(self, views, scores, step):
        real, fake = ([scores[self._view(name, i)][HEAD] for i in (0, 1)] for name in ("real", "fake"))
        options = {"temperature": self.temperature, "gather": self.gather}
        return self.weight * (contrastive.nt_xent(*real, **options) + contrastive.nt_xent(*fake, **options))

    def _view(self, name: str, i: int) -> str:
        return f"{name}_{self.log_name}_{i}"


def _dense(units: int, activation: str | None = None) -> keras.layers.Layer:
    return keras.layers.Dense(units, activation=activation, dtype="float32")
