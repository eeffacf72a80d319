"""The folder of a run: whose it is, and which experiment is in it."""

import contextlib
import fcntl
import os
from collections.abc import Iterator

from tfgan_suite import experiment as experiments
from tfgan_suite import registry
from tfgan_suite.core import files


def load_experiment(workdir: str) -> experiments.Experiment:
    """The experiment that `workdir` was trained with; raises a ValueError if there is none."""
    path = os.path.join(workdir, "experiment.json")
    if not os.path.exists(path):
        raise ValueError(f"{workdir} holds no run: it has no experiment.json. Train first: tfgan-train --experiment=... --workdir={workdir}")
    with open(path) as file:
        return registry.load(file.read())


@contextlib.contextmanager
def claimed(workdir: str) -> Iterator[None]:
    """Makes the folder and keeps other trainers out of it; the claim ends with the process, however it ends."""
    try:
        os.makedirs(workdir, exist_ok=True)
        lock = open(os.path.join(workdir, "lock"), "w")
    except OSError as error:
        raise ValueError(f"Cannot write to --workdir={workdir}: {error.strerror}. Choose a folder that you may write to.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ValueError(f"Another process is training in {workdir}. Wait for it, stop it, or use another --workdir.") from error
        yield


def record(experiment: experiments.Experiment, workdir: str) -> None:
    """Writes experiment.json, or checks that the one there says the same."""
    path = os.path.join(workdir, "experiment.json")
    others = [name for name in os.listdir(workdir) if name not in ("lock", "experiment.json")]
    if os.path.exists(path) and others:  # without others the run ended before it began, on a mistake that may be corrected now
        with open(path) as file:
            different = registry.differences(experiment, file.read())
        if different:
            raise ValueError(
                f"{workdir} holds a run of another experiment:\n  "
                + "\n  ".join(different)
                + "\nUse another --workdir, or the same experiment to resume."
            )
        return
    if others:
        raise ValueError(f"{workdir} is not empty and holds no run: {', '.join(sorted(others)[:5])}. Use an empty or new --workdir.")
    files.write(path, registry.dump(experiment))
