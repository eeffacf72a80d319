"""The studies by name, and the flags that one has and the others lack. Imports nothing: a command reads it before TensorFlow is there."""

STUDIES = {
    "augmentation": "tfgan_suite.studies.augmentation",
    "conditioning": "tfgan_suite.studies.conditioning",
    "gallery": "tfgan_suite.studies.gallery",
    "objectives": "tfgan_suite.studies.objectives",
    "semi_supervised": "tfgan_suite.studies.semi_supervised",
}
"""Name -> module with `cells`, `measure` and `report`, and `compare` where a cell is measured against real images."""
OPTIONS = {
    "augmentation": {
        "experiment": "The preset that every cell changes.",
        "augmentations": "Names with commas between them; `+` joins some to one composition.",
        "strengths": "Numbers in [0, 1] with commas between them; 0.4-0 is annealed. Of a composition, every combination.",
        "modes": "Ways of using an augmentation, with commas between them.",
        "seeds": "Of the runs of each cell, with commas between them.",
        "steps": "In place of the preset's.",
    }
}
"""Study -> flags of its own, which `cells` takes as texts: name -> help."""
