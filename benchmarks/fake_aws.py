"""AWS for benchmarks of functions: kept connections, and the shortest answer that each call takes.

It checks nothing. What it answers is the same for all who ask, so that only the caller is measured.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

#: The one version of every secret.
VERSION_ID = "benchkey-0000-0000-0000-000000000000"
SECRET = bytes(range(32))
#: Of a key pair whose private half nobody has kept.
PUBLIC_KEY = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAsMuUX7RYl9uqSPQ5GyVZ2hZ/Hgpi514Ays6E80LYNlQQ"
    "VA3s0o6NMgiS1+BOJwIQNvfnxPuPmrQDZHbf6RqeTl3cXhL1o1HoRk22TU2tOx3YF/k2ssWY35h4Rbr4+7pO5dsN"
    "giqXzLArUkCJgK1iOslmjs7PcA9tA1BmbZ3hlXUvhhtTz+RK15XrP6pV4Z43V6RwZq+YDcVPhMvKViQAIjy99BGr"
    "+WaWwi7664eZGYKyExRdav9jNC4ssyCC3CXmtknOFdj1cJ7M7PaUz+6XZCwqOBn6Pz/Um55fh6HDTlh5mTPyb0gF"
    "OnxU9so2Vb7DnXxCUO6N+2lfpVp70T8FuQIDAQAB"
)
_ANSWERS = {
    "secretsmanager.GetSecretValue": {
        "ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:bench",
        "Name": "bench",
        "VersionId": VERSION_ID,
        "SecretBinary": base64.b64encode(SECRET).decode(),
        "CreatedDate": 1_700_000_000,
    },
    "TrentService.GetPublicKey": {"PublicKey": PUBLIC_KEY},
    "/endpoint": {"endpointAddress": "data.iot.invalid"},
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is one write
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        asked = self.headers.get("X-Amz-Target") or self.path.partition("?")[0]
        body = json.dumps(_ANSWERS.get(asked, {})).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _serve  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        return


@contextmanager
def serving() -> Iterator[str]:
    """The URL that stands for every endpoint."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def environ(url: str) -> dict[str, str]:
    """What every family finds in its environment, and credentials for the SDK."""
    return {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
        "TABLE": "bench",
        "STAGE": "bench",
        "STREAM_URL": "wss://stream.invalid/bench",
        "STREAM_MANAGEMENT_URL": url,
        "IOT_DATA_URL": url,
        "SEAL_SECRET": "bench",
        "TICKET_SECRET": "bench",
        "EVENT_BUS": "bench",
        "RECORDINGS": "/hatchway/bench/recordings",
        "AUDIT_LOG": "/hatchway/bench/audit",
        "AUDIT_QUEUE": f"{url}/123456789012/audit",
        "ARCHIVE_BUCKET": "bench",
        "ACCOUNT": "123456789012",
        "TOPIC": "arn:aws:sns:us-east-1:123456789012:bench",
        "ALARM_TOPIC": "arn:aws:sns:us-east-1:123456789012:bench-alarms",
        "LOG_DESTINATIONS": json.dumps(
            {
                "ownBucket": "bench",
                "ownGroup": "/hatchway/bench/sessions",
                "owner": "123456789012",
                "buckets": [],
                "groups": [],
            }
        ),
        "ARCHIVE": "bench",
        "SIGNING_KEY": "bench",
        "RECORDING_KEY": "bench",
        "ARCHIVE_QUEUE": f"{url}/123456789012/archive",
        "RECHECK_QUEUE": f"{url}/123456789012/bench",
        "CHANNEL_ROLE_ID": "AROACHANNELROLEEXAMPL",
        "CHANNEL_ROLE_ARN": "arn:aws:iam::123456789012:role/channel",
        "AGENT_API_ARN": "arn:aws:execute-api:us-east-1:123456789012:a1/bench",
        "POWERTOOLS_SERVICE_NAME": "bench",
    }
