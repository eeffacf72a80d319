import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers import data_dependent, minibatch_discrimination
from tfgan_suite.networks import improved_gan

K = 5
DISCRIMINATORS = {
    "mlp": lambda **o: improved_gan.mlp_discriminator(image_shape=(8, 8, 1), width=16, **o),
    "convolutional": lambda **o: improved_gan.convolutional_discriminator(image_shape=(16, 16, 3), width=4, **o),
    "compact": lambda **o: improved_gan.compact_discriminator(image_shape=(16, 16, 3), width=4, **o),
}
GENERATORS = {
    "mlp": lambda **o: improved_gan.mlp_generator(image_shape=(8, 8, 1), latent_size=6, width=12, **o),
    "convolutional": lambda **o: improved_gan.convolutional_generator(image_shape=(16, 16, 3), latent_size=6, width=4, **o),
    "virtual": lambda **o: improved_gan.convolutional_generator(image_shape=(16, 16, 3), latent_size=6, width=4, reference_size=3, **o),
}
each_discriminator = pytest.mark.parametrize("name", DISCRIMINATORS)
each_generator = pytest.mark.parametrize("name", GENERATORS)


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def inputs(network, rows=4, seed=0):
    numbers = np.random.default_rng(seed)
    return {i.name: tf.constant(numbers.uniform(0.0, 1.0, (rows, *i.shape[1:])), tf.float32) for i in network.inputs}


def test_the_papers_networks_have_the_parameters_of_the_authors_code():
    assert count(improved_gan.mlp_discriminator(num_classes=10)) == 1_538_770
    assert count(improved_gan.convolutional_discriminator(num_classes=10)) == 1_406_804
    assert count(improved_gan.convolutional_generator()) == 4_933_382


def test_mnists_generator_has_two_layers_of_500_with_offsets_and_a_scale_and_a_bias_per_pixel():
    assert count(improved_gan.mlp_generator()) == 100 * 500 + 500 + 500 * 500 + 500 + 500 * 784 + 2 * 784


def test_svhns_discriminator_has_widths_64_and_128():
    def convolution(size, a, b):
        return size * size * a * b + b

    expected = convolution(3, 3, 64) + 2 * convolution(3, 64, 64) + convolution(3, 64, 128) + 3 * convolution(3, 128, 128)
    expected += 2 * convolution(1, 128, 128) + 128 * 10 + 2 * 10
    assert count(improved_gan.convolutional_discriminator(num_classes=10, width=64)) == expected


def test_noise_lies_before_every_dense_layer_of_mnists_discriminator():
    network = improved_gan.mlp_discriminator(num_classes=10)
    noises = [layer for layer in network.layers if type(layer).__name__ == "GaussianNoise"]
    assert [layer.deviation for layer in noises] == [0.3, 0.5, 0.5, 0.5, 0.5, 0.5]
    assert [int(layer.output.shape[-1]) for layer in noises] == [784, 1000, 500, 250, 250, 250]


@pytest.mark.parametrize(("noise", "first"), [("dropout", "Dropout"), ("gaussian", "GaussianNoise")])
def test_cifars_discriminator_drops_pixels_or_blurs_them_and_drops_half_of_the_maps(noise, first):
    network = improved_gan.convolutional_discriminator(num_classes=10, width=8, input_noise=noise)
    noises = [layer for layer in network.layers if type(layer).__name__ in ("Dropout", "GaussianNoise")]
    assert [type(layer).__name__ for layer in noises] == [first, "Dropout", "Dropout"]
    assert getattr(noises[0], "keep", 0.8) == 0.8 and getattr(noises[0], "deviation", 0.2) == 0.2
    assert [layer.keep for layer in noises[1:]] == [0.5, 0.5]
    assert [tuple(layer.output.shape[1:]) for layer in noises] == [(32, 32, 3), (16, 16, 8), (8, 8, 16)]


@each_discriminator
def test_heads_are_the_classes_and_the_log_of_their_sum(name):
    network = DISCRIMINATORS[name](num_classes=K)
    heads = network(inputs(network))
    assert heads.keys() == {"logits", "features", "class_logits"} and heads["class_logits"].shape == (4, K)
    np.testing.assert_allclose(heads["logits"], np.log(np.exp(heads["class_logits"]).sum(1)), rtol=1e-5)
    assert all(head.dtype == tf.float32 for head in heads.values())


@each_discriminator
def test_without_classes_there_is_one_logit(name):
    network = DISCRIMINATORS[name]()
    heads = network(inputs(network))
    assert heads.keys() == {"logits", "features"} and heads["logits"].shape == (4,)


@each_discriminator
def test_without_noise_it_has_the_same_weights_and_reads_the_image_alone(name):
    noisy, quiet = (DISCRIMINATORS[name](num_classes=K, noisy=on) for on in (True, False))
    assert [(v.name, tuple(v.shape)) for v in noisy.variables] == [(v.name, tuple(v.shape)) for v in quiet.variables]
    assert {i.name for i in quiet.inputs} == {"image"} < {i.name for i in noisy.inputs}


def test_without_noise_it_is_the_noisy_one_whose_numbers_change_nothing():
    noisy, quiet = (DISCRIMINATORS["mlp"](num_classes=K, noisy=on) for on in (True, False))
    for a, b in zip(quiet.variables, noisy.variables, strict=True):
        a.assign(b)
    values = inputs(noisy)
    silent = {key: value if key == "image" else tf.zeros_like(value) for key, value in values.items()}
    expected = quiet({"image": values["image"]})
    for head, value in noisy(silent).items():
        np.testing.assert_allclose(value, expected[head], rtol=1e-5)
    assert not np.allclose(noisy(values)["logits"], expected["logits"])


@each_discriminator
def test_minibatch_discrimination_lies_between_the_features_and_the_last_layer(name):
    join = minibatch_discrimination.MinibatchDiscrimination(7, 3)
    plain, joined = DISCRIMINATORS[name](num_classes=K), DISCRIMINATORS[name](num_classes=K, join=join)
    width = plain.output["features"].shape[-1]
    assert joined.output["features"].shape[-1] == width
    assert count(joined) - count(plain) == width * 7 * 3 + 7 * 3 + 7 + 7 * K


@each_discriminator
def test_a_first_batch_gives_the_class_logits_mean_0_and_the_published_deviation(name):
    network = DISCRIMINATORS[name](num_classes=K)
    values = inputs(network, rows=32)
    data_dependent.initialize(network, values)
    logits = network(values)["class_logits"].numpy()
    np.testing.assert_allclose(logits.mean(0), np.zeros(K), atol=1e-5)
    np.testing.assert_allclose(logits.std(0), np.full(K, 1.0 if name == "mlp" else 0.1), rtol=1e-3)


@each_generator
def test_images_are_float32_in_minus_one_to_one(name):
    network = GENERATORS[name]()
    image = network(inputs(network), training=True)["image"]
    assert {i.name for i in network.inputs} == {"latents"} and image.dtype == tf.float32
    assert image.shape == ((4, 8, 8, 1) if name == "mlp" else (4, 16, 16, 3)) and np.abs(image).max() <= 1.0


def test_a_virtually_normalised_image_depends_on_its_own_latents_alone_in_training_too():
    network = GENERATORS["virtual"]()
    latents = inputs(network)["latents"]
    for training in (True, False):
        whole = network({"latents": latents}, training=training)["image"]
        np.testing.assert_allclose(network({"latents": latents[1:2]}, training=training)["image"], whole[1:2], atol=1e-6)
    np.testing.assert_allclose(network({"latents": latents}, training=True)["image"], whole, atol=1e-6)


def test_the_reference_latents_are_the_only_weights_of_a_virtually_normalised_generator_that_are_not_trained():
    network = improved_gan.convolutional_generator(width=4, latent_size=6, reference_size=3, reference=keras.initializers.Constant(0.5))
    [reference] = network.non_trainable_variables
    np.testing.assert_array_equal(reference, np.full((3, 6), 0.5))


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@each_discriminator
def test_heads_are_finite_under_half_precision(name, policy):
    keras.config.set_dtype_policy(policy)
    try:
        network = DISCRIMINATORS[name](num_classes=K)
        heads = network(inputs(network))
    finally:
        keras.config.set_dtype_policy("float32")
    assert all(head.dtype == tf.float32 and np.isfinite(head).all() for head in heads.values())


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: improved_gan.convolutional_discriminator(image_shape=(30, 30, 3)), "multiples of 4"),
        (lambda: improved_gan.convolutional_discriminator(image_shape=(8, 8, 3)), "at least 12"),
        (lambda: improved_gan.convolutional_generator(image_shape=(28, 28, 1)), "multiples of 8"),
        (lambda: improved_gan.convolutional_discriminator(input_noise="salt"), "input_noise='salt' is unknown. It is one of dropout, gaussian"),
    ],
)
def test_what_does_not_fit_is_refused(build, says):
    with pytest.raises(ValueError, match=says):
        build()
