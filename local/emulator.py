"""The embedded AWS: started on a loopback port with keys of its own, stopped, restarted."""

from __future__ import annotations

import secrets
import shutil
import socket
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
from botocore.config import Config

from local import certificate, processes
from local.environment import scrubbed
from local.errors import CommandFailed, LauncherError
from local.places import ROOT, Places
from local.records import read_record, write_record
from local.waiting import until

REGION = "us-east-1"
ACCOUNT = "000000000000"
START_LIMIT = 60.0

_CONFIG = Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=30)
_RECORD = "emulator"
_PROCESS = "emulator-process"


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running embedded AWS. `generation` changes whenever it began with nothing in it."""

    places: Places
    port: int
    access_key_id: str
    secret_access_key: str
    generation: str

    @property
    def endpoint(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def client(self) -> Callable[..., Any]:
        """boto3's own `client`, as the root user: for setting things up, never to prove a thing."""
        session = boto3.Session(
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            region_name=REGION,
        )
        return partial(
            session.client,
            endpoint_url=self.endpoint,
            verify=str(self.places.ca_bundle),
            config=_CONFIG,
        )

    def environ(self, base: Mapping[str, str]) -> dict[str, str]:
        """A command's environment as this endpoint's root user."""
        return scrubbed(base, self.places) | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_CA_BUNDLE": str(self.places.ca_bundle),
            "NODE_EXTRA_CA_CERTS": str(self.places.ca_bundle),
        }


def running(places: Places) -> Emulator | None:
    """The embedded AWS of these places, if it runs."""
    if processes.recorded(places.record(_PROCESS)) is None:
        return None
    fields = read_record(places.record(_RECORD))
    return Emulator(
        places,
        int(str(fields["port"])),
        str(fields["access_key_id"]),
        str(fields["secret_access_key"]),
        str(fields["generation"]),
    )


def start_fresh(places: Places, base: Mapping[str, str]) -> Emulator:
    """Starts one with nothing in it, with new keys, on the port used before where it is free."""
    stop(places)
    places.make()
    shutil.rmtree(places.emulator)
    places.emulator.mkdir(mode=0o700)
    certificate.ensure(places)
    emulator = Emulator(
        places,
        _port(read_record(places.record(_RECORD)).get("port")),
        "AKIA" + secrets.token_hex(16).upper(),
        secrets.token_urlsafe(30),
        secrets.token_hex(8),
    )
    write_record(
        places.record(_RECORD),
        {
            "port": emulator.port,
            "access_key_id": emulator.access_key_id,
            "secret_access_key": emulator.secret_access_key,
            "generation": emulator.generation,
        },
    )
    _start(emulator, base)
    return emulator


def stop(places: Places) -> None:
    """Stops it, with its functions' workers. What was in it is kept on disk for `start_again`."""
    processes.stop(places.record(_PROCESS))


def start_again(places: Places, base: Mapping[str, str]) -> Emulator:
    """Starts the one that was stopped in an orderly way, with all that was in it."""
    fields = read_record(places.record(_RECORD))
    if not fields:
        raise LauncherError("There is no embedded AWS to start again.")
    emulator = Emulator(
        places,
        int(str(fields["port"])),
        str(fields["access_key_id"]),
        str(fields["secret_access_key"]),
        str(fields["generation"]),
    )
    _start(emulator, base)
    return emulator


def check_account(emulator: Emulator) -> None:
    """Refuses to go on when what answers is not the embedded AWS."""
    account = emulator.client("sts").get_caller_identity()["Account"]
    if account != ACCOUNT:
        raise LauncherError(f"The account is {account}, not {ACCOUNT}: nothing was touched.")


def _start(emulator: Emulator, base: Mapping[str, str]) -> None:
    places = emulator.places
    log = places.log("emulator")
    process = processes.start(
        [sys.executable, "-m", "local.server"],
        environ=_environ(emulator, base),
        log=log,
        record=places.record(_PROCESS),
        cwd=ROOT,
    )
    tls = ssl.create_default_context(cafile=str(places.ca_bundle))

    def answers() -> bool | None:
        if not processes.alive(process):
            raise CommandFailed("The embedded AWS ended", log)
        return _ready(emulator.endpoint, tls)

    until(answers, START_LIMIT, "The embedded AWS did not answer")


def _ready(endpoint: str, tls: ssl.SSLContext) -> bool:
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls)
    )
    try:
        with opener.open(f"{endpoint}/_ministack/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _environ(emulator: Emulator, base: Mapping[str, str]) -> dict[str, str]:
    """ministack's settings. Its functions inherit them, with credentials of their own."""
    places, own = emulator.places, emulator.places.emulator
    (own / "tmp").mkdir(mode=0o700, exist_ok=True)
    (own / "state").mkdir(mode=0o700, exist_ok=True)
    return emulator.environ(base) | {
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(places.certificate),
        "MINISTACK_SSL_KEY": str(places.key),
        "GATEWAY_PORT": str(emulator.port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "localhost",
        "MINISTACK_REGION": REGION,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # A function that is running holds one, and what it calls in turn needs others.
        "MINISTACK_WORKER_THREADS": "512",
        "LOG_LEVEL": "WARNING",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(own / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(own / "s3"),
        "TMPDIR": str(own / "tmp"),
        "DOCKER_HOST": "unix:///nonexistent",
    }


def _port(remembered: object) -> int:
    """The remembered port where it is free, else one that the kernel chooses."""
    for port in (remembered, 0):
        if isinstance(port, int):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return int(probe.getsockname()[1])
    raise LauncherError("There is no free port on 127.0.0.1.")
