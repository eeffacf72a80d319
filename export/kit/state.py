"""What a running server says of its models, over REST."""

import time
from collections.abc import Callable

import requests

AVAILABLE = "AVAILABLE"
_POLL_SECONDS = 1.0
_REQUEST_SECONDS = 5.0


def versions(url: str, model: str, of: str = "") -> dict[int, tuple[str, str]]:
    """{version: (its state, its error or "")} of `model`, as the server at `url` says; nothing where it knows none.

    of: `/versions/<number>` asks for one. Raises requests.RequestException if the server does not answer.
    """
    answer = requests.get(f"{url.rstrip('/')}/v1/models/{model}{of}", timeout=_REQUEST_SECONDS)
    if answer.status_code != 200:
        return {}
    found = answer.json().get("model_version_status", [])
    return {int(one["version"]): (one["state"], one.get("status", {}).get("error_message", "")) for one in found}


def available(url: str, model: str) -> list[int]:
    """The versions of `model` that the server has loaded. Raises requests.RequestException if the server does not answer."""
    return [version for version, (said, _) in versions(url, model).items() if said == AVAILABLE]


def labelled(url: str, model: str, label: str) -> int:
    """The version that answers `label` of `model` at the server; 0 if none does. Raises requests.RequestException if the server does not answer.

    TensorFlow Serving resolves the label of a metadata request, and ignores that of a status request.
    """
    answer = requests.get(f"{url.rstrip('/')}/v1/models/{model}/labels/{label}/metadata", timeout=_REQUEST_SECONDS)
    return int(answer.json()["model_spec"]["version"]) if answer.status_code == 200 else 0


def await_available(url: str, model: str, version: int, seconds: float) -> None:
    """Returns when `version` is available. ValueError if it cannot be loaded, or is not available in time."""

    def look() -> str:
        state, error = versions(url, model, f"/versions/{version}").get(version, ("", ""))
        if error and state == "END":
            raise ValueError(f"The server at {url} could not load version {version} of {model}: {error}")
        if state == "LOADING":
            return "says LOADING: it may be trying again, a minute apart, to load what failed; its log has the reason"
        return "" if state == AVAILABLE else f"says {state or 'that it knows no such version'}" + (f" ({error})" if error else "")

    _await(look, url, f"version {version} of {model} is not available", seconds)


def await_label(url: str, model: str, label: str, version: int, seconds: float) -> None:
    """Returns when `label` points at `version`. ValueError if it does not in time."""

    def look() -> str:
        found = labelled(url, model, label)
        return "" if version == found else f"answers it with version {found or 'none'}"

    _await(look, url, f"the label {label} of {model} is not at version {version}", seconds)


def _await(look: Callable[[], str], url: str, problem: str, seconds: float) -> None:
    """Calls `look` until it returns ""; otherwise it returns what the server said."""
    end = time.monotonic() + seconds
    while True:
        try:
            said = look()
        except requests.RequestException as error:
            said = f"does not answer: {type(error).__name__}"
        if not said:
            return
        if time.monotonic() >= end:
            raise ValueError(
                f"After {seconds:g} s {problem}; the server at {url} {said}. Does it read this folder, with --model_config_file_poll_wait_seconds? "
                "The same command goes on from here."
            )
        time.sleep(min(_POLL_SECONDS, max(0.0, end - time.monotonic())))
