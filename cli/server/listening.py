"""The server below the application: one thread a connection, with limits on how many, how large and how slow."""

from __future__ import annotations

import io
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from typing_extensions import Buffer
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from restore.core.errors import UsageError

CONNECTIONS = 128
"""Connections at a time; more are told to come back."""
IDLE = 30.0
"""Seconds without any byte after which a connection ends."""
GRACE = 30.0
"""Seconds that the bytes of a request may take whatever their number."""
SLOWEST = 20_000
"""Bytes a second that a client must send after these."""

_BUSY = b'{"error": "too many connections; try again"}\n'
BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(_BUSY), _BUSY)
)


class _PatientSocket(io.RawIOBase):
    """The bytes of one connection, until it sent too many or took too long."""

    def __init__(self, connection: socket.socket, most_bytes: int) -> None:
        self._connection, self._left = connection, most_bytes
        self._seconds, self._received = 0.0, 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        """Read what arrives. Raises TimeoutError if the client is too slow."""
        allowed = GRACE + self._received / SLOWEST - self._seconds
        if allowed <= 0:
            raise TimeoutError("the client sends too slowly")
        if self._left <= 0:
            return 0
        self._connection.settimeout(min(IDLE, allowed))
        began = time.monotonic()
        try:
            count = self._connection.recv_into(memoryview(buffer)[: self._left])
        finally:
            self._seconds += time.monotonic() - began
            self._connection.settimeout(IDLE)
        self._left -= count
        self._received += count
        return count


class _Handler(WSGIRequestHandler):
    """One connection, which carries one request."""

    server: RestoreServer
    timeout = IDLE
    error_message_format = "%(code)d %(message)s\n"
    error_content_type = "text/plain"

    def setup(self) -> None:
        super().setup()
        self.rfile = io.BufferedReader(_PatientSocket(self.connection, self.server.most_bytes), 2**16)

    def version_string(self) -> str:
        """Return what the header Server says: no versions."""
        return "restore"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing; the application reports what matters."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - Werkzeug's signature
        """Say nothing about broken requests of strangers."""


class RestoreServer(ThreadedWSGIServer):
    """Serves an application on one address.

    Args:
        host: name or address to listen on.
        port: 0: any that is free.
        application: the WSGI application.
        most_bytes: bytes that one connection may send.

    Raises:
        UsageError: the address or the port cannot be used.
    """

    request_queue_size = CONNECTIONS

    def __init__(self, host: str, port: int, application: Any, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        with _listen(host, port) as listening:
            super().__init__(host, listening.getsockname()[1], application, _Handler, fd=listening.fileno())

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, or refuse at once."""
        if not self._free.acquire(blocking=False):
            with suppress(OSError):
                request.sendall(BUSY)
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, then make room for another connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that breaks its connection is no error of the server."""


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, number)
    except OSError as error:
        raise UsageError(f"--host {host}: {error.strerror}") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(CONNECTIONS)
    except OSError as error:
        listening.close()
        raise UsageError(
            f"--host {host} --port {port}: {error.strerror}; choose another --port, or 0 for any that is free"
        ) from None
    return listening
