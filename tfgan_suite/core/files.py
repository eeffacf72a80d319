"""Files that are whole or not there at all."""

import os
import tempfile


def write(path: str, content: bytes | str) -> None:
    """Writes a file beside `path` and renames it over: a reader, or a kill, sees the old content or the new, never a part.

    Raises an OSError with the path; the old content then stays.
    """
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=folder, prefix="." + os.path.basename(path))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
