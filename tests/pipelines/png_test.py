import io

import numpy as np
import PIL.Image
import pytest

from pipelines import png


@pytest.mark.parametrize("channels", [1, 3])
def test_another_decoder_reads_back_the_same_pixels(channels):
    images = np.random.default_rng(0).integers(0, 256, [4, 5, 7, channels], dtype=np.uint8)
    images[0] = 255
    for image, file in zip(images, png.encode(images), strict=True):
        decoded = PIL.Image.open(io.BytesIO(file))
        decoded.verify()  # Checks the checksums.
        decoded = np.asarray(PIL.Image.open(io.BytesIO(file)))
        np.testing.assert_array_equal(decoded.reshape(image.shape), image)


@pytest.mark.parametrize("images", [np.zeros([1, 4, 4, 3], np.float32), np.zeros([4, 4, 3], np.uint8), np.zeros([1, 4, 4, 2], np.uint8)])
def test_what_is_no_batch_of_gray_or_color_images_is_refused(images):
    with pytest.raises(ValueError, match=r"uint8 \[b, h, w, 1 or 3\], received"):
        png.encode(images)
