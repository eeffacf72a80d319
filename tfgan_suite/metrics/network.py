"""Whether a download can work at all: asked before a library starts one, which may otherwise retry for minutes."""

import threading
import urllib.error
import urllib.request


def require(url: str, what: str, remedy: str, seconds: float = 10.0) -> None:
    """Raises ValueError naming `what` and `remedy` unless the host of `url` answers within `seconds` (proxy settings are honoured)."""
    outcome: list[str] = []

    def ask() -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=seconds).close()
            outcome.append("")
        except urllib.error.HTTPError:
            outcome.append("")  # the host answered; what it says to the real request is the library's to handle
        except (OSError, ValueError) as error:
            outcome.append(str(getattr(error, "reason", error)))

    thread = threading.Thread(target=ask, daemon=True)  # looking up a host name has no time limit of its own
    thread.start()
    thread.join(seconds)
    reason = outcome[0] if outcome else f"no answer within {seconds:g} seconds"
    if reason:
        raise ValueError(f"{what} must be downloaded from {url}, which cannot be reached ({reason}). {remedy}")
