"""What can go wrong between a client and its server."""

RETRYABLE = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED"})
"""The server may answer the same request later: its queue was full, it was starting or stopping, it was slow. Every call of the client only reads, so
that sending it twice does no harm."""


class ServerError(Exception):
    """A server refused a request, did not answer it, or answered something that is no answer."""

    def __init__(self, code: str, where: str, text: str):
        """`code`: the name of a canonical status code, e.g. NOT_FOUND; `where`: the server; `text`: its message."""
        super().__init__(code, where, text)
        self.code = code
        self.where = where
        self.text = text

    def __str__(self) -> str:
        return f"{self.where}: {self.code}: {self.text}"
