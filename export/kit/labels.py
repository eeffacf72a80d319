"""Where the label `stable` of a model points: the two steps of moving it, on a model's entry of `models.config`, and the way back.

TF Serving moves a label only to a version that it has loaded already. So the first step is a policy that loads the version beside all others, and
the second, when the version is available, moves the label. `canary` goes with `stable` where it would fall behind.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

from google.protobuf import text_format

from export import serving_config


@dataclasses.dataclass(frozen=True, kw_only=True)
class History:
    """What a model's entry does not say."""

    before: tuple[int, ...] = ()
    """The versions that were `stable`, oldest first, without the current one."""
    policy: str = ""
    """The policy of the entry before a version was pinned, as text; "" where none is."""

    def target(self, current: int, available: Sequence[int]) -> int:
        """The version that a rollback returns to; 0 if there is none: the last one on disk."""
        return next((version for version in reversed(self.before) if version != current and version in available), 0)


def stable(entry: Any) -> int:
    """The version that `stable` points at; 0 without the label."""
    return entry.version_labels[serving_config.STABLE_LABEL] if serving_config.STABLE_LABEL in entry.version_labels else 0


def load(entry: Any, version: int, available: Sequence[int], history: History) -> History:
    """Step one: the entry's policy loads `version` beside what it loads anyway. Changes nothing where it does so already."""
    loaded = serving_config.loaded(entry.model_version_policy, available)
    return history if version in loaded else pin(entry, sorted({*loaded, version}), history)


def pin(entry: Any, versions: Sequence[int], history: History) -> History:
    """The entry loads exactly `versions`, whatever is exported later; a policy that followed the folder is remembered."""
    policy = entry.model_version_policy
    if policy.WhichOneof("policy_choice") != "specific":
        history = dataclasses.replace(history, policy=text_format.MessageToString(policy, as_one_line=True) or "latest { num_versions: 1 }")
    policy.specific.versions[:] = versions
    return history


def promote(entry: Any, version: int, available: Sequence[int], history: History) -> History:
    """Step two: `stable` is `version`, and a policy that was pinned follows the folder again, if it then loads every labelled version."""
    former = stable(entry)
    earlier = [v for v in history.before if v not in (former, version)]
    history = dataclasses.replace(history, before=(*earlier, former) if former else tuple(earlier))
    _point(entry, version)
    _drop_old(entry, history)
    if history.policy:
        followed = text_format.Parse(history.policy, type(entry.model_version_policy)())
        if set(entry.version_labels.values()) <= set(serving_config.loaded(followed, available)):
            entry.model_version_policy.CopyFrom(followed)
            history = dataclasses.replace(history, policy="")
    return history


def roll_back(entry: Any, version: int, available: Sequence[int], history: History) -> History:
    """Step two of the way back: `stable` is `version`, which was so before. What is loaded is pinned, lest the next export move the label on."""
    history = pin(entry, serving_config.loaded(entry.model_version_policy, available), history)
    _point(entry, version)
    return dataclasses.replace(history, before=history.before[: history.before.index(version)])


def _point(entry: Any, version: int) -> None:
    newest = serving_config.NEWEST_LABEL
    entry.version_labels[serving_config.STABLE_LABEL] = version
    if newest in entry.version_labels and entry.version_labels[newest] < version:
        entry.version_labels[newest] = version


def _drop_old(entry: Any, history: History) -> None:
    """Of a list of versions, those that were `stable` once and bear no label; the last one stays loaded, so that a rollback is instant."""
    policy = entry.model_version_policy
    if policy.WhichOneof("policy_choice") == "specific":
        old = set(history.before[:-1]) - set(entry.version_labels.values())
        policy.specific.versions[:] = [version for version in policy.specific.versions if version not in old]
