"""Class-conditional models: labels as one more tensor in the batch."""

import dataclasses

from tfgan_suite.core import alternating


@dataclasses.dataclass(kw_only=True)
class Config(alternating.Config):
    """An `AlternatingGan` that may read labels."""

    conditional: bool = False
    """Generate a given class; the dataset must have labels."""


class LabelConditional:
    """Mixed into a `Gan` whose config's `conditional` says whether it reads labels. How they enter is a layer chosen in its networks."""

    @classmethod
    def keys_for(cls, config):
        return ("image", "label") if config.conditional else ("image",)

    @property
    def condition_keys(self):
        return ("label",) if self.config.conditional else ()

    @property
    def num_classes(self) -> int:
        """Classes that the networks are built for; 0 without conditioning."""
        return self.data.num_classes if self.config.conditional else 0
