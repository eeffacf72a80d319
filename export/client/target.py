"""Which model of a server, and which of its versions."""

import dataclasses
import re

_LABEL = re.compile(r"[A-Za-z0-9_]+")


@dataclasses.dataclass(frozen=True)
class Target:
    """A model by name, and the version that answers: by number, by label, or the newest. ValueError for what no server can route."""

    model: str
    version: int | None = None
    version_label: str = ""

    def __post_init__(self):
        if not self.model or re.search(r"[/:]", self.model):
            raise ValueError(f"A model's name has at least one character and no slash or colon; received {self.model!r}.")
        if self.version is not None and self.version_label:
            raise ValueError(f"A version is named by number or by label; received {self.version} and {self.version_label!r}.")
        if self.version is not None and not 0 <= self.version < 2**63:
            raise ValueError(f"A version is a number from 0; received {self.version}.")
        if self.version_label and not _LABEL.fullmatch(self.version_label):
            raise ValueError(f"A version's label is letters, digits and underscores, e.g. stable; received {self.version_label!r}.")
