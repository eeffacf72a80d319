import numpy as np

from tfgan_suite.ops import pixels


def test_quantising_rounds_half_up_and_clips():
    steps = np.array([-2.0, -1.0, 0.0, 1.0, 2.0], np.float32)
    np.testing.assert_array_equal(pixels.quantize(steps), [0, 0, 128, 255, 255])


def test_every_byte_survives_the_way_to_minus_one_to_one_and_back():
    values = np.arange(256)
    np.testing.assert_array_equal(pixels.quantize(values / 127.5 - 1.0), values)
