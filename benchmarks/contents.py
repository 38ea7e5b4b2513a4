"""What is printed in benchmarks of output: a web server's log, and bytes nobody can compress."""

from __future__ import annotations

import random
from pathlib import Path

_PATHS = ("/", "/index.html", "/api/v1/orders", "/api/v1/users/{}", "/static/app.{}.js", "/health")
_AGENTS = ("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "curl/8.5.0", "kube-probe/1.31")
#: Lines that are made; longer texts repeat them, further apart than any compression here looks.
_LINES = 20_000


def log_text(size: int) -> bytes:
    """An access log, the same every time; it deflates to about a sixth."""
    chance = random.Random(20)
    lines = "".join(_line(chance, number) for number in range(_LINES)).encode()
    return (lines * (size // len(lines) + 1))[:size]


def random_bytes(size: int) -> bytes:
    return random.Random(30).randbytes(size)


def _line(chance: random.Random, number: int) -> str:
    address = ".".join(str(chance.randrange(1, 255)) for _ in range(4))
    path = chance.choice(_PATHS).format(chance.randrange(100_000))
    status, size = chance.choice((200, 200, 200, 304, 404, 500)), chance.randrange(120, 90_000)
    moment = f"22/Nov/2026:{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} +0000"
    taken = chance.random() * 2
    agent = chance.choice(_AGENTS)
    return f'{address} - - [{moment}] "GET {path} HTTP/1.1" {status} {size} "{agent}" {taken:.3f}\n'


def files(folder: Path, size: int) -> dict[str, Path]:
    """Both as files that everyone may read, by what a table calls them."""
    folder.chmod(0o755)
    made = {"log text": log_text(size), "random bytes": random_bytes(size)}
    for name, data in made.items():
        path = folder / f"{name.partition(' ')[0]}.bin"
        path.write_bytes(data)
        path.chmod(0o644)
    return {name: folder / f"{name.partition(' ')[0]}.bin" for name in made}
