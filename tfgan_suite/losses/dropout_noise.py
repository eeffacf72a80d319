"""The random numbers of a discriminator's dropout, as one more tensor in the batch."""

import dataclasses

from tfgan_suite.losses import term


@dataclasses.dataclass(kw_only=True)
class DropoutNoise(term.Term):
    """No loss: gives every view the numbers that the discriminator's dropout is drawn from, in both players' updates (it stays on in both).

    For a discriminator with the input `dropout_noise` [b, units], such as `networks.mlp`'s. Goodfellow et al. 2014, the authors' code.
    """

    def views(self, views, step):
        width = next(i.shape[1] for i in step.model.discriminator.inputs if i.name == "dropout_noise")
        return {name: view | {"dropout_noise": step.random.fold(name).uniform((view["image"].shape[0], width))} for name, view in views.items()}

    def generator_views(self, views, step):
        return self.views(views, step)
