"""Where the label `stable` of a model points: the two steps of moving it, on a model's entry of `models.config`, and the way back.

TF Serving moves a label only to a version that it has loaded already, and one label that it may not move keeps the whole file out. So the first step
is a policy that loads the version beside all others, and the second, when the version is available, moves the label. Either step also takes
`canary`, and any other label, off a version that the server may not have: where it points at a version that never loads, nothing else would arrive.
"""

import dataclasses
from collections.abc import Collection, Sequence
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


def load(entry: Any, version: int, available: Sequence[int], history: History, serving: Collection[int] | None = None) -> History:
    """Step one: the entry's policy loads `version` beside what it loads anyway. Changes nothing where it does so already.

    serving: the versions that the server has; None where it was not asked, as for the other steps.
    """
    loaded = serving_config.loaded(entry.model_version_policy, available)
    if version in loaded:
        return history
    free(entry, available, serving)
    return pin(entry, sorted({*loaded, version}), history)


def free(entry: Any, available: Sequence[int], serving: Collection[int] | None) -> list[str]:
    """Takes labels off versions that the server may not have, to that of `stable`; returns those that moved. `stable` itself stays."""
    return _gather(entry, stable(entry), available, serving) if stable(entry) in (available if serving is None else serving) else []


def pin(entry: Any, versions: Sequence[int], history: History) -> History:
    """The entry loads exactly `versions`; a policy that followed the folder is remembered."""
    before = serving_config.pin(entry, versions)
    return dataclasses.replace(history, policy=before) if before else history


def promote(entry: Any, version: int, available: Sequence[int], history: History, serving: Collection[int] | None = None) -> History:
    """Step two: `stable` is `version`, and a policy that was pinned follows the folder again.

    That is, if it then loads every labelled version, and still does so, for all but `canary`, when a further version comes.
    """
    former = stable(entry)
    earlier = [v for v in history.before if v not in (former, version)]
    history = dataclasses.replace(history, before=(*earlier, former) if former else tuple(earlier))
    _point(entry, version, available, serving)
    _drop_old(entry, history)
    if history.policy:
        followed = text_format.Parse(history.policy, type(entry.model_version_policy)())
        labelled = set(entry.version_labels.values())
        if labelled <= set(serving_config.loaded(followed, available)) and not serving_config.drops(followed, entry, available):
            entry.model_version_policy.CopyFrom(followed)
            history = dataclasses.replace(history, policy="")
    return history


def roll_back(entry: Any, version: int, available: Sequence[int], history: History, serving: Collection[int] | None = None) -> History:
    """Step two of the way back: `stable` is `version`, which was so before. What is loaded is pinned, lest the next export unload it."""
    history = pin(entry, serving_config.loaded(entry.model_version_policy, available), history)
    _point(entry, version, available, serving)
    return dataclasses.replace(history, before=history.before[: history.before.index(version)])


def _point(entry: Any, version: int, available: Sequence[int], serving: Collection[int] | None) -> None:
    """`stable` moves to `version`, which is loaded, and with it what would fall behind or may point at a version that is not."""
    newest = serving_config.NEWEST_LABEL
    entry.version_labels[serving_config.STABLE_LABEL] = version
    if newest in entry.version_labels and entry.version_labels[newest] < version:
        entry.version_labels[newest] = version
    _gather(entry, version, available, serving)


def _gather(entry: Any, version: int, available: Sequence[int], serving: Collection[int] | None) -> list[str]:
    """Moves to `version`, which is loaded, every label of a version that is not in `serving`; returns them.

    Without word from the server, a version that the policy loads counts as loaded, but that of `canary` does not: nobody has proved it yet.
    """
    has = serving_config.loaded(entry.model_version_policy, available) if serving is None else serving
    moved = [
        label
        for label, at in entry.version_labels.items()
        if at != version and label != serving_config.STABLE_LABEL and (at not in has or (serving is None and label == serving_config.NEWEST_LABEL))
    ]
    for label in moved:
        entry.version_labels[label] = version
    return sorted(moved)


def _drop_old(entry: Any, history: History) -> None:
    """Of a list of versions, those that were `stable` once and bear no label; the last one stays loaded, so that a rollback is instant."""
    policy = entry.model_version_policy
    if policy.WhichOneof("policy_choice") == "specific":
        old = set(history.before[:-1]) - set(entry.version_labels.values())
        policy.specific.versions[:] = [version for version in policy.specific.versions if version not in old]
