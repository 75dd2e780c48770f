"""Two app servers behind the proxy, as ``deploy/compose.yaml`` has them."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from http.client import HTTPSConnection
from pathlib import Path
from typing import NamedTuple

from ..reliability.load import PATIENCE_SECONDS, Answer, Client, until
from ..reliability.services import free_port
from ..reliability.shop import Row, Shop
from ..support import databases
from ..support.proxy import Proxy, running_proxy
from ..support.server import (
    NO_LIMITS,
    PRODUCTION,
    ROOT,
    Server,
    Site,
    environment_of,
    migrate,
)
from .image import command

CONFIG = ROOT / "deploy" / "haproxy.cfg"
WORKERS, THREADS = 2, 8
#: As in deploy/compose.yaml; a test compares.
DRAIN_SECONDS = 5


class Certificate(NamedTuple):
    """Of 127.0.0.1, signed by itself; ``file`` holds its key too."""

    file: Path
    public: Path
    trust: ssl.SSLContext


def new_certificate(folder: Path) -> Certificate:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"),
            *("-keyout", key, "-out", certificate, "-days", "2"),
            *("-subj", "/CN=shop", "-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    both = folder / "both.pem"
    both.write_text(certificate.read_text() + key.read_text())
    trust = ssl.create_default_context(cafile=str(certificate))
    return Certificate(both, certificate, trust)


class Front:
    """The shop as people reach it, and what stands behind."""

    def __init__(
        self, servers: list[Server], proxy: Proxy, certificate: Certificate
    ) -> None:
        self.servers = servers
        self.proxy = proxy
        self.certificate = certificate
        self.address = proxy.environment["HTTPS_BIND"]
        self.plain_url = f"http://{proxy.environment['HTTP_BIND']}"
        self.url = f"https://{self.address}"
        self.secrets: set[str] = servers[0].secrets
        self._clients: list[Client] = []
        self.site = Site(self.url, verify=certificate.trust)
        self.site.secrets = self.secrets
        self.shop = Shop(
            servers[0], on="mariadb", kind="product", client=self.client_at("127.0.0.1")
        )

    def client_at(self, address: str) -> Client:
        """Give a client that comes from an address of this machine, like 127.0.0.7."""
        environment = self.proxy.environment
        client = client_of(
            environment, self.certificate, address=address, secrets=self.secrets
        )
        return self._kept(client)

    def plainly(self) -> Client:
        """Give a client that does without TLS."""
        return self._kept(Client(self.plain_url, secrets=self.secrets))

    def direct(self, server: Server, token: str | None = None) -> Client:
        """Give a client of one server that says what the proxy would say."""
        client = Client(server.url, token, secrets=self.secrets)
        client.headers |= {"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"}
        return self._kept(client)

    def records(self, containing: str = "") -> list[Row]:
        """Return what the proxy has noted of each request, oldest first."""
        return [
            json.loads(line)
            for line in self.proxy.log.splitlines()
            if containing in line and line.startswith("{")
        ]

    def record_of(self, request_id: str) -> Row:
        """Wait for the proxy's note of a request, which follows the answer."""
        until(lambda: self.records(request_id), seconds=15)
        return self.records(request_id)[-1]

    def served_by(self, requests: int, ask: Callable[[], Answer]) -> set[str]:
        """Ask that often, and name the servers that had to answer."""
        ids = [ask().headers["X-Request-ID"] for _ in range(requests)]
        return {str(self.record_of(each)["server"]) for each in ids}

    def close(self) -> None:
        """Close what tests have opened."""
        self.site.close()
        self.shop.close()
        for client in self._clients:
            client.close()

    def _kept(self, client: Client) -> Client:
        self._clients.append(client)
        return client


@contextmanager
def running_front(
    folder: Path,
    *,
    program: Path,
    certificate: Certificate,
    database_url: str,
    redis_url: str,
    limits: bool = False,
    **settings: str,
) -> Iterator[Front]:
    """Serve a new shop with the ``program`` of the image.

    Without ``limits`` nobody is throttled, with them it is as production is.

    :raises AssertionError: at the end, if a log shows a password or a token
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as running:
        url = running.enter_context(databases.new_database(database_url))
        settings = {
            **({} if limits else NO_LIMITS),
            "DATABASE_URL": url,
            "REDIS_URL": redis_url,
            **settings,
        }
        _fill(url, settings, folder)
        servers = [_server(n, settings, folder, program) for n in (1, 2)]
        for server in servers:
            running.callback(_end, server)
        with ThreadPoolExecutor() as pool:
            list(pool.map(Server.start, servers))
        places = [server.url.removeprefix("http://") for server in servers]
        proxy = running.enter_context(
            running_proxy(CONFIG, addresses(places, certificate), folder)
        )
        front = Front(servers, proxy, certificate)
        running.callback(front.close)
        yield front


def _fill(url: str, settings: dict[str, str], folder: Path) -> None:
    environment = environment_of(settings)
    databases.fill(
        url,
        like="with-owner",
        folder=folder,
        by=partial(migrate, environment, folder, has_owner=True),
    )


def _server(
    number: int, settings: dict[str, str], folder: Path, program: Path
) -> Server:
    """Give a server that shares with others what the settings name, and no file."""
    port, own = free_port(), folder / f"server-{number}"
    temporary = own / "tmp"
    temporary.mkdir(parents=True)
    environment = environment_of(
        {
            **settings,
            "DJANGO_SETTINGS_MODULE": PRODUCTION,
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(temporary),
            "HOME": "/nonexistent",
            "SECURE_SSL_REDIRECT": "true",
            "NUM_PROXIES": "1",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "WORKERS": str(WORKERS),
            "THREADS": str(THREADS),
            "DRAIN_SECONDS": str(DRAIN_SECONDS),
        }
    )
    return Server(port, environment, command(), own / "server.log", folder=program)


def _end(server: Server) -> None:
    server.close()
    # Its stops are tested elsewhere, and take long.
    server.kill()
    server.check_log()


def addresses(servers: list[str], certificate: Certificate) -> dict[str, str]:
    """Return what the proxy is told: where it listens, and where the servers do."""
    https = f"127.0.0.1:{free_port()}"
    one, two = servers
    return {
        "HTTP_BIND": f"127.0.0.1:{free_port()}",
        "HTTPS_BIND": https,
        "TLS_CERTIFICATE": str(certificate.file),
        "PUBLIC_URL": f"https://{https}",
        "SHOP_HOST": "127.0.0.1",
        "APP_ONE": one,
        "APP_TWO": two,
    }


def client_of(
    environment: Mapping[str, str],
    certificate: Certificate,
    *,
    address: str = "127.0.0.1",
    secrets: set[str] | None = None,
) -> Client:
    """Give a client of the proxy, who comes from an address of this machine."""
    connect: Callable[[], HTTPSConnection] = partial(
        HTTPSConnection,
        environment["HTTPS_BIND"],
        timeout=PATIENCE_SECONDS,
        source_address=(address, 0),
        context=certificate.trust,
    )
    return Client(environment["PUBLIC_URL"], secrets=secrets, connect=connect)
