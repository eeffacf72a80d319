"""What is asked of the weights themselves: clipping (WGAN), near-orthogonal kernels (BigGAN), small values (DCGAN)."""

import dataclasses

import keras
import tensorflow as tf

from tfgan_suite.losses import term


class Clip(keras.constraints.Constraint):
    """Each weight into [-limit, limit]. Arjovsky et al. 2017, Algorithm 1, line 7."""

    def __init__(self, limit: float = 0.01):
        if limit <= 0:
            raise ValueError(f"Clip needs a limit above 0; received {limit}. Algorithm 1 takes 0.01.")
        self.limit = limit

    def __call__(self, w):
        return keras.ops.clip(w, -self.limit, self.limit)

    def get_config(self):
        return {"limit": self.limit}


def constrain(network: keras.Model, constraint: keras.constraints.Constraint) -> None:
    """Makes optimizers apply `constraint` to every trained weight of `network` after each update: kernels, biases, gains and offsets alike.

    Call it where the network is built. The initial values are constrained here, once.
    """
    for variable in network.trainable_variables:
        variable.constraint = constraint
        variable.assign(constraint(variable))


def off_diagonal_gram(matrix: tf.Tensor) -> tf.Tensor:
    """sum of squared inner products between different columns of `matrix` [n, m]: 0 for orthogonal columns of any length."""
    gram = tf.matmul(matrix, matrix, transpose_a=True)
    return tf.reduce_sum(tf.square(gram - tf.linalg.diag(tf.linalg.diag_part(gram))))


@dataclasses.dataclass(kw_only=True)
class OrthogonalRegularization(term.Term):
    """weight / 2 sum over kernels |W W^T o (1 - I)|^2 with W as [output channels, everything else]. Brock et al. 2019, eq. 3.

    The half makes the gradient that of the authors' code, which adds 2 weight (W W^T o (1 - I)) W; the gradient of the printed equation is twice it.
    """

    generator_weight: float = 1e-4
    discriminator_weight: float = 0.0
    exclude: tuple[str, ...] = ("embedding",)
    """Names of layers left out: the generator's class embedding, as in the authors' code. Tables of gains that begin at 1 (SN-GAN's conditional
    batch norm) have no orthogonal rows to keep: with such a body name `gain` too."""

    def discriminator_loss(self, views, scores, step):
        return self.discriminator_weight / 2.0 * self.penalty(step.network)

    def generator_loss(self, views, scores, step):
        return self.generator_weight / 2.0 * self.penalty(step.network)

    def penalty(self, network: keras.Model) -> tf.Tensor:
        """The sum over the network's layers with a kernel."""
        layers = [layer for layer in network._flatten_layers() if hasattr(layer, "matrix") and layer.name not in self.exclude]
        return tf.add_n([off_diagonal_gram(layer.matrix()) for layer in layers])


@dataclasses.dataclass(kw_only=True)
class WeightDecay(term.Term):
    """weight / 2 sum of squares of every trained weight, of both players. Its gradient, weight * w, is what DCGAN's Theano code adds."""

    weight: float = 1e-5

    def discriminator_loss(self, views, scores, step):
        return self.penalty(step.network)

    def generator_loss(self, views, scores, step):
        return self.penalty(step.network)

    def penalty(self, network: keras.Model) -> tf.Tensor:
        """The term's value for one network."""
        return self.weight * tf.add_n([tf.nn.l2_loss(v.value) for v in network.trainable_variables])
