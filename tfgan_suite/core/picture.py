"""Images [-1, 1] as bytes, grids and animations."""

import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tfgan_suite.ops import pixels

_GAP = 2
_PLANE_PIXELS = 256
_DOT = np.array((31, 119, 180), np.uint8)


def grid(images: np.ndarray, columns: int, scale: int = 1) -> np.ndarray:
    """[n, h, w, c] in [-1, 1] row by row as one uint8 picture [H, W, 3 or 4], on white, each pixel `scale` pixels wide."""
    tiles = pixels.quantize(images).numpy()
    n, height, width, channels = tiles.shape
    if channels in (1, 2):
        tiles = np.repeat(tiles[..., :1], 3, axis=-1)  # of two channels the first is shown
    rows = math.ceil(n / columns)
    sheet = np.full((rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, tiles.shape[-1]), 255, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = _GAP + (i // columns) * (height + _GAP), _GAP + (i % columns) * (width + _GAP)
        sheet[top : top + height, left : left + width] = tile
    return sheet.repeat(scale, axis=0).repeat(scale, axis=1)


def plane(points: np.ndarray, low: float, high: float) -> np.ndarray:
    """Points [n, 2] as dots on white, uint8 [256, 256, 3]: the first number to the right, the second upwards, each from `low` to `high`.

    Points outside, and those that are not finite, are not shown.
    """
    sheet = np.full((_PLANE_PIXELS, _PLANE_PIXELS, 3), 255, np.uint8)
    with np.errstate(invalid="ignore"):
        columns, rows = np.floor((points.T - low) / (high - low) * _PLANE_PIXELS)
        inside = (columns >= 0) & (columns < _PLANE_PIXELS) & (rows >= 0) & (rows < _PLANE_PIXELS)
    sheet[_PLANE_PIXELS - 1 - rows[inside].astype(int), columns[inside].astype(int)] = _DOT
    return sheet


def with_column_names(picture: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """A uint8 picture [h, w, c] under a white strip with the name of each of its equal columns, broken at spaces where a column is narrow."""
    width = picture.shape[1] / len(names)
    texts = [_broken(name, width - _GAP) for name in names]
    strip = Image.new("RGB", (picture.shape[1], max(map(_height, texts)) + 2 * _GAP), "white")
    for i, text in enumerate(texts):
        ImageDraw.Draw(strip).multiline_text(((i + 0.5) * width, _GAP), text, fill="black", anchor="ma", align="center", font=_font())
    return np.concatenate([_like(strip, picture), picture])


def with_row_names(picture: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """A uint8 picture [h, w, c] to the right of a white strip with the name of each of its equal rows."""
    height = picture.shape[0] / len(names)
    strip = Image.new("RGB", (math.ceil(max(map(_width, names))) + 2 * _GAP, picture.shape[0]), "white")
    for i, name in enumerate(names):
        ImageDraw.Draw(strip).text((strip.width - _GAP, (i + 0.5) * height), name, fill="black", anchor="rm", font=_font())
    return np.concatenate([_like(strip, picture), picture], axis=1)


def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own, of 10 pixels."""
    return ImageFont.load_default()


def _width(text: str) -> float:
    return _font().getlength(text)


def _height(text: str) -> int:
    return 12 * (1 + text.count("\n"))


def _broken(name: str, width: float) -> str:
    """The name in lines of at most `width` pixels where spaces allow it."""
    lines: list[str] = []
    for word in name.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _width(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def _like(strip: Image.Image, picture: np.ndarray) -> np.ndarray:
    """The strip with the picture's channels."""
    return np.asarray(strip.convert("RGBA" if picture.shape[2] == 4 else "RGB"))


def png(picture: np.ndarray) -> bytes:
    """A uint8 picture [h, w, c] as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG")
    return buffer.getvalue()


def animation(frames: Sequence[bytes], seconds_per_frame: float = 0.25) -> bytes:
    """PNG files of one size as an endless GIF; the last frame stands four times as long."""
    pictures = [Image.open(io.BytesIO(frame)).convert("RGB") for frame in frames]
    durations = [int(1000 * seconds_per_frame)] * (len(pictures) - 1) + [int(4000 * seconds_per_frame)]
    buffer = io.BytesIO()
    pictures[0].save(buffer, format="GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0)
    return buffer.getvalue()
