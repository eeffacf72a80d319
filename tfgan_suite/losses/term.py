"""The base of every term of an objective. A leaf."""

import re
from typing import Any, ClassVar

import tensorflow as tf

View = dict[str, tf.Tensor]
"""A batch that the discriminator scores: {key: [b, ...]}; also its scores: {head: [b, ...]}."""


class Term:
    """One summand of the objective, as configuration: the views it adds, its loss for the discriminator, its loss for the generator.

    `views` and `scores` map a view's name to {key or head: [b, ...]}. `step` gives `batch` (the real one, in both updates), `random`
    (a stream of this term's own), `score(view)` -> heads, `generate(view)` -> the view with a new image, `augment(augmentation, view, name)` -> the
    view augmented, `network` (the one being updated), `history` (its weights beside the means of all they have been). A term holds no state.
    Losses are means over the replica's rows.

    `real` and `fake` have been through the config's augmentations when a term is asked for views, with their images of before as `clean`. What it
    makes of them is not augmented again; what it brings from elsewhere, or generates, is.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    """Batch keys that it reads beside those of the model."""
    heads: ClassVar[tuple[str, ...]] = ()
    """Heads of the discriminator that it reads beside `logits`."""
    needs_history: ClassVar[bool] = False
    """Whether it reads `step.history`, which the model then keeps."""
    pairs_views: ClassVar[bool] = False
    """Whether it compares the scores of two views row by row."""
    needs_whole_examples: ClassVar[bool] = False
    """Whether it takes each image to be of one example: of one class, or of one code."""

    @property
    def log_name(self) -> str:
        """The name its values are logged under: `name` where the term has that field and it is set, else the class's in snake case."""
        return getattr(self, "name", "") or re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    @property
    def augmentations(self) -> tuple[Any, ...]:
        """The augmentations it applies to views of its own."""
        return ()

    def extend(self, discriminator: Any) -> Any:
        """The discriminator, a Keras model, with the heads that this term brings along, if it does."""
        return discriminator

    def views(self, views: dict[str, View], step: Any) -> dict[str, View]:
        """More batches for the discriminator's pass."""
        return {}

    def generator_views(self, views: dict[str, View], step: Any) -> dict[str, View]:
        """The same in the generator's step, where only `fake` is scored otherwise."""
        return {}

    def discriminator_loss(self, views: dict[str, View], scores: dict[str, View], step: Any) -> tf.Tensor:
        return tf.zeros([])

    def generator_loss(self, views: dict[str, View], scores: dict[str, View], step: Any) -> tf.Tensor:
        return tf.zeros([])


def check_weights(owner: Term, *names: str) -> None:
    """Raises a ValueError if one of these fields is negative or no number."""
    for name in names:
        if not getattr(owner, name) >= 0.0:
            raise ValueError(f"{type(owner).__name__}.{name} must be at least 0; 0 leaves the part out. Received: {getattr(owner, name)}.")
