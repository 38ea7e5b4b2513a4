"""`hatchway doctor`: it stops at the first thing that is wrong, and says what to do about it."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hatchway import __version__
from hatchway.cli.main import main
from hatchway.client.doctor import Doctor, Finding, State
from hatchway.core.errors import Exit
from tests.unit.client.world import NODE, World
from tests.unit.net.authority import Authority

pytestmark = pytest.mark.timeout(60)
Capture = pytest.CaptureFixture[str]
DENIED = (403, {"__type": "AccessDeniedException", "message": "no"})


def nodes(**changes: object) -> tuple[int, dict[str, object]]:
    node = {"NodeId": NODE, "Name": "web", "PingStatus": "Online", "AgentVersion": __version__}
    return 200, {"Nodes": [{**node, **changes}]}


@pytest.fixture
def well(world: World) -> World:
    """A service where nothing is wrong, though it does not tell about policies."""
    world.answers["GET /nodes"] = nodes()
    world.answers["POST /access/explain"] = DENIED
    world.answers[f"GET /nodes/{NODE}/connection"] = (200, {"Target": NODE, "Status": "connected"})
    return world


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def by_name(found: list[Finding]) -> dict[str, State]:
    return {finding.check: finding.state for finding in found}


def test_where_nothing_is_wrong_it_says_so_and_starts_nothing(well: World, capsys: Capture) -> None:
    assert main(["doctor", "web"]) == Exit.OK
    out = capsys.readouterr().out
    assert "failed" not in out
    assert f"ok       node: {NODE} is connected" in out
    assert f"ok       agent: version {__version__}" in out
    assert not any(
        asked.method == "POST" and asked.path.endswith("/sessions") for asked in well.asked
    )


def test_without_a_target_it_looks_at_the_service_alone(well: World) -> None:
    assert by_name(list(Doctor(well.settings).examine())) == {
        "configuration": State.OK,
        "credentials": State.OK,
        "certificates": State.OK,
        "service": State.OK,
        "permission to call": State.OK,
    }


def test_a_missing_configuration_comes_first(
    well: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Capture
) -> None:
    monkeypatch.setenv("HATCHWAY_CONFIG", str(tmp_path / "absent.toml"))
    assert main(["doctor"]) == Exit.USAGE
    out = capsys.readouterr().out
    assert out.startswith("failed   configuration: ")
    assert "absent.toml" in out
    assert len(out.splitlines()) == 2  # what is wrong, and what to do
    assert well.asked == []


def test_missing_credentials(well: World, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert main(["doctor"]) == Exit.DENIED
    out = capsys.readouterr().out
    assert "failed   credentials: " in out
    assert "aws sso login" in out
    assert well.asked == []


def test_the_access_key_is_not_told_whole(well: World, capsys: Capture) -> None:
    main(["doctor"])
    out = capsys.readouterr().out
    assert "MPLE" in out
    assert "AKIAEXAMPLE" not in out
    assert "not-a-secret" not in out


def test_a_bundle_without_certificates(well: World, tmp_path: Path) -> None:
    bundle = tmp_path / "empty.pem"
    bundle.write_text("")
    found = list(Doctor(replace(well.settings, ca_bundle=bundle)).examine())
    assert found[-1].check == "certificates"
    assert found[-1].state is State.FAILED


def test_a_certificate_of_somebody_else(well: World, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    found = list(Doctor(replace(well.settings, ca_bundle=other.bundle)).examine())
    assert (found[-1].check, found[-1].state) == ("service", State.FAILED)
    assert found[-1].error is not None
    assert found[-1].error.code == "CertificateRefused"


def test_a_service_that_is_out_of_reach(
    well: World, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("HATCHWAY_API_URL", f"https://127.0.0.1:{_closed_port()}/local")
    assert main(["doctor"]) == Exit.CONNECTION_LOST
    out = capsys.readouterr().out
    assert "failed   service: " in out
    assert "Check the network" in out


@pytest.mark.parametrize(
    ("off", "state"),
    [(0, State.OK), (100, State.OK), (200, State.WARNING), (-200, State.WARNING)],
)
def test_a_clock_that_differs_is_warned_of(well: World, off: float, state: State) -> None:
    found = list(Doctor(well.settings, clock=lambda: time.time() + off).examine())
    assert by_name(found)["service"] is state


@pytest.mark.parametrize(("off", "word"), [(400, "ahead"), (-400, "behind")])
def test_a_clock_by_which_signatures_are_refused_is_the_fault(
    well: World, off: float, word: str
) -> None:
    found = list(Doctor(well.settings, clock=lambda: time.time() + off).examine())
    assert (found[-1].check, found[-1].state) == ("service", State.FAILED)
    assert word in found[-1].seen
    assert "NTP" in found[-1].seen


def test_who_may_not_list_nodes_is_told_and_goes_on(well: World) -> None:
    well.answers["GET /nodes"] = DENIED
    found = list(Doctor(well.settings, target=NODE).examine())
    states = by_name(found)
    assert states["permission to call"] is State.WARNING
    assert states["node"] is State.OK
    assert states["agent"] is State.SKIPPED


def test_refused_signatures_are_the_fault(well: World) -> None:
    well.answers["GET /nodes"] = (403, {"__type": "SignatureDoesNotMatch", "message": "no"})
    found = list(Doctor(well.settings, target=NODE).examine())
    assert (found[-1].check, found[-1].state) == ("permission to call", State.FAILED)


def test_what_the_policies_refuse_is_the_fault(well: World) -> None:
    check = {"Layer": "ssm", "Action": "ssm:StartSession", "Resource": "*"}
    refused = {**check, "Decision": "ImplicitlyDenied", "Unknown": [], "Statements": []}
    well.answers["POST /access/explain"] = (
        200,
        {
            "PrincipalArn": "arn:aws:iam::000000000000:user/john",
            "Target": NODE,
            "Decision": "ImplicitlyDenied",
            "Checks": [refused],
            "Remarks": [],
        },
    )
    found = list(Doctor(well.settings, target=NODE).examine())
    assert (found[-1].check, found[-1].state) == ("permission to start", State.FAILED)
    assert "ssm:StartSession on *" in found[-1].seen
    assert "PrincipalArn" not in next(a for a in well.asked if "explain" in a.path).body


def test_a_node_that_nobody_knows(well: World, capsys: Capture) -> None:
    assert main(["doctor", "nowhere"]) == Exit.NOT_FOUND
    assert "hatchway list-nodes" in capsys.readouterr().out


def test_a_node_that_is_away(well: World, capsys: Capture) -> None:
    status = (200, {"Target": NODE, "Status": "notconnected"})
    well.answers[f"GET /nodes/{NODE}/connection"] = status
    assert main(["doctor", NODE]) == Exit.NOT_CONNECTED
    assert "agent is up" in capsys.readouterr().out


def test_an_older_agent_is_warned_of(well: World) -> None:
    well.answers["GET /nodes"] = nodes(AgentVersion="0.0.1")
    found = list(Doctor(well.settings, target=NODE).examine())
    assert found[-1].check == "agent"
    assert found[-1].state is State.WARNING


def test_what_comes_from_elsewhere_is_escaped(well: World, capsys: Capture) -> None:
    well.answers["GET /nodes"] = (403, {"__type": "AccessDeniedException", "message": "\x1b[2J"})
    main(["doctor"])
    assert "\x1b" not in capsys.readouterr().out


def test_as_json(well: World, capsys: Capture) -> None:
    status = (200, {"Target": NODE, "Status": "notconnected"})
    well.answers[f"GET /nodes/{NODE}/connection"] = status
    assert main(["doctor", NODE, "--output", "json"]) == Exit.NOT_CONNECTED
    findings = json.loads(capsys.readouterr().out)["Findings"]
    assert findings[-1]["Check"] == "node"
    assert findings[-1]["Code"] == "TargetNotConnected"
    assert findings[0] == {
        "Check": "configuration",
        "State": "ok",
        "Seen": f"{well.settings.api_url}, signed for us-east-1",
        "Advice": None,
        "Code": None,
    }
