"""What Zhao et al. 2020, arXiv:2006.02595, report on CIFAR-10: Frechet inception distances of 10,000 samples against the 10,000 test images.

SNDCGAN after 200,000 steps, BigGAN after 100,000, at full width. Values with two decimals are printed in the paper (18.72 of CR on SNDCGAN is from
memory and was not looked up again); those with one are read off its figures, within about 0.3. Its curves of real images alone, and BigGAN's, cannot
be read. The paper does not say which augmentation of bCR its 8.30 has; it stands here beside the best one.
"""

_WIDE = ("0.1", "0.2", "0.3", "0.4", "0.5")
_NARROW = ("0.02", "0.04", "0.06", "0.08", "0.1")
_CURVES = {
    "zoom_out": (_WIDE, (21.0, 20.3, 20.3, 21.0, 22.0), (16.3, 15.5, 15.0, 14.72, 15.0)),
    "zoom_in": (_WIDE, (21.8, 20.7, 21.3, 22.8, 31.6), (21.0, 18.0, 16.6, 17.3, 19.2)),
    "translation": (_WIDE, (19.0, 19.0, 19.3, 21.3, 22.7), (16.1, 16.2, 17.0, 17.2, 19.2)),
    "translation_x": (_WIDE, (20.6, 20.7, 20.3, 20.1, 20.0), (18.5, 18.2, 18.5, 19.2, 19.1)),
    "translation_y": (_WIDE, (20.6, 20.3, 20.5, 20.1, 20.4), (18.0, 18.3, 19.3, 18.9, 18.7)),
    "cutmix": (_WIDE, (23.8, 22.2, 22.5, 24.7, 26.9), (22.0, 20.3, 21.2, 23.7, 25.7)),
    "cutout": (_WIDE, (23.2, 22.8, 22.9, 23.6, 24.7), (21.7, 19.5, 19.7, 21.6, 24.4)),
    "instance_noise": (_NARROW, (25.2, 26.4, 28.4, 28.9, 32.0), (24.2, 25.7, 24.6, 25.2, 24.7)),
}
"""Augmentation -> (strengths, SNDCGAN's distances with real and fake images augmented, and with bCR)."""
_BASELINE = ("baseline", "", "")
_PRINTED = {
    "sndcgan": {_BASELINE: 24.73, ("bcr", "zoom_out", "0.4"): 14.72},
    "biggan": {
        _BASELINE: 14.73,
        ("bcr", "translation", "0.4"): 8.65,
        ("bcr", "translation+brightness", "0.3+0.3"): 8.42,
        ("cntr", "translation", "0.4"): 8.30,
    },
}

ABOUT = (
    "*published*: Zhao et al. 2020, 10,000 samples against the 10,000 test images in Inception features, after 200,000 steps of SNDCGAN or 100,000 "
    "of BigGAN at full width; `~` is read off a figure. Compare it with a row of the same steps and features only. Besides: CR about 18.72 on "
    "SNDCGAN and 11.48 on BigGAN, ICR 15.87 and 9.21, with flips and shifts as their augmentation; bCR under one augmentation beside that of two "
    "8.58 on BigGAN."
)


def fid(variant: str, dataset: str, mode: str, augmentation: str, strength: str) -> str:
    """The published distance as a page writes it; empty where there is none."""
    if dataset != "cifar10" or variant not in _PRINTED:
        return ""
    printed = _PRINTED[variant].get((mode, augmentation, strength))
    if printed is not None:
        return f"{printed:.2f}"
    strengths, *curves = _CURVES.get(augmentation, ((), (), ()))
    column = {"real_and_fake": 0, "bcr": 1}.get(mode)
    if variant != "sndcgan" or column is None or strength not in strengths:
        return ""
    return f"~{curves[column][strengths.index(strength)]:.1f}"
