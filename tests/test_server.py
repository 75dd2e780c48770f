"""How gunicorn is called, and what it does for the shop when it is told to stop."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from django.test import Client

from mechanic_shop.server.__main__ import CONFIG, arguments, count_proxies

VARIABLES = ("HOST", "PORT", "WORKERS", "THREADS")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing about the server."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


class TestArguments:
    def test_keep_connections_where_no_proxy_does(
        self, environment: pytest.MonkeyPatch
    ) -> None:
        words = arguments(proxies=0)

        assert {"--keep-alive=5", "--worker-connections=1000"} <= set(words)
        assert "--bind=127.0.0.1:8000" in words

    def test_take_what_there_are_threads_for_behind_a_proxy(
        self, environment: pytest.MonkeyPatch
    ) -> None:
        environment.setenv("THREADS", "3")

        words = arguments(proxies=1)

        assert {"--keep-alive=0", "--worker-connections=3", "--threads=3"} <= set(words)

    def test_spell_an_address_of_ipv6(self, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("HOST", "::")

        assert "--bind=[::]:8000" in arguments(proxies=0)


class TestCountProxies:
    def test_reads_the_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "mechanic_shop.settings.local")
        monkeypatch.setenv("NUM_PROXIES", "2")

        assert count_proxies() == 2

    def test_ends_the_start_at_a_wrong_one(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "mechanic_shop.settings.local")
        monkeypatch.setenv("NUM_PROXIES", "many")

        with pytest.raises(SystemExit):
            count_proxies()


@pytest.fixture
def conf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """gunicorn's configuration; the signals are as before afterwards."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "shared"))
    monkeypatch.setenv("DRAIN_SECONDS", "60")
    kept = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGALRM)}
    name = "mechanic_shop.server.gunicorn_conf"
    yield importlib.reload(importlib.import_module(name))
    signal.alarm(0)
    for each, handler in kept.items():
        signal.signal(each, handler)


class TestConfiguration:
    def test_imports_nothing_of_a_release(self, tmp_path: Path) -> None:
        check = (
            f"import runpy, sys; runpy.run_path({str(CONFIG)!r});"
            "print([name for name in sys.modules if 'mechanic_shop' in name])"
        )
        done = subprocess.run(
            [sys.executable, "-c", check],
            env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
        )

        assert (done.stdout.strip(), done.stderr) == ("[]", "")

    def test_freezes_what_a_worker_has_loaded(self, conf: ModuleType) -> None:
        conf.post_worker_init(None)

        assert gc.get_freeze_count() > 0
        gc.unfreeze()


class TestReload:
    """The worker of the queue, which another process keeps, has to hear of it."""

    @pytest.fixture
    def keeper(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[subprocess.Popen[bytes]]:
        # Below nohup everything that is started ignores the signal.
        heed = partial(signal.signal, signal.SIGHUP, signal.SIG_DFL)
        with subprocess.Popen(["sleep", "60"], preexec_fn=heed) as keeper:
            monkeypatch.setenv("WORKER_KEEPER", str(keeper.pid))
            yield keeper
            keeper.kill()

    def test_is_passed_on_to_the_keeper(
        self, conf: ModuleType, keeper: subprocess.Popen[bytes]
    ) -> None:
        conf.on_reload(None)

        assert keeper.wait(10) == -signal.SIGHUP

    def test_is_passed_on_to_no_stranger(
        self,
        conf: ModuleType,
        keeper: subprocess.Popen[bytes],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        keeper.kill()
        keeper.wait()
        told: list[int] = []
        monkeypatch.setattr(os, "kill", lambda pid, _: told.append(pid))

        conf.on_reload(None)

        assert told == []

    def test_needs_no_keeper(self, conf: ModuleType) -> None:
        conf.on_reload(None)


class TestStop:
    @pytest.fixture
    def stopped(self) -> list[int]:
        """What gunicorn has heard of signals, which it notes by its own handler."""
        heard: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
        return heard

    def test_waits_until_a_proxy_has_noticed(
        self, conf: ModuleType, stopped: list[int], client: Client
    ) -> None:
        conf.when_ready(SimpleNamespace(pid=os.getpid()))

        signal.raise_signal(signal.SIGTERM)
        told, seconds = client.get("/readyz"), signal.alarm(0)
        before = list(stopped)
        signal.raise_signal(signal.SIGALRM)

        assert (told.status_code, told.json()) == (503, {"status": "stopping"})
        assert 0 < seconds <= 60
        assert (before, stopped) == ([], [signal.SIGTERM])

    def test_that_is_asked_for_twice_waits_no_longer(
        self, conf: ModuleType, stopped: list[int]
    ) -> None:
        conf.when_ready(SimpleNamespace(pid=os.getpid()))

        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)

        assert stopped == [signal.SIGTERM]

    def test_leaves_no_folder(self, conf: ModuleType) -> None:
        conf.SHARED.mkdir()

        conf.on_exit(None)

        assert not conf.SHARED.exists()
