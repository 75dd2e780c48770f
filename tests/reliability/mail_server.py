"""A mail server on loopback that hangs, refuses or is slow when a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Event, Thread


class MailServer(ThreadingTCPServer):
    """Takes mails by SMTP, as RFC 5321 has it, and remembers their Message-IDs."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.connections = 0
        #: The part of each Message-ID before the @, in the order in which they came.
        self.received: list[str] = []
        #: What a recipient is answered with.
        self.answer = "250 fine"
        self._talks, self._answers = Event(), Event()
        self.work()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"

    def work(self) -> None:
        """Do everything at once from now on, also what was held up."""
        self._talks.set()
        self._answers.set()

    def hang(self) -> None:
        """Accept connections, and say nothing."""
        self._talks.clear()

    def hold_answers(self) -> None:
        """Take mails, and do not say so until ``work``."""
        self._answers.clear()


class _Session(StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.server.connections += 1
        # A client that is killed, or that lost its patience, is gone without a word.
        with suppress(ConnectionError):
            self.server._talks.wait()
            self.say("220 ready")
            while line := self.rfile.readline():
                self.answer(line[:4].upper())

    def answer(self, verb: bytes) -> None:
        match verb:
            case b"RCPT":
                self.say(self.server.answer)
            case b"DATA":
                self.say("354 go on")
                self.take_mail()
                self.server._answers.wait()
                self.say("250 taken")
            case b"QUIT":
                self.say("221 bye")
            case _:
                self.say("250 fine")

    def take_mail(self) -> None:
        lines = list(iter(self.rfile.readline, b".\r\n"))
        message_id = message_from_bytes(b"".join(lines))["Message-ID"]
        self.server.received.append(message_id.strip("<>").partition("@")[0])

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def running_mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.work()
            server.shutdown()
