"""What a started process is and has: identity, groups, limits, environment, directory, name."""

from __future__ import annotations

import os
import select
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.ports import Client, StartFailed
from agent.process import environment as variables
from agent.process.account import Account, account
from agent.process.environment import environment, known_locale, known_terminal
from agent.process.launch import LIMITS, Launch
from agent.runners.banner import MAX_NAME, banner, plain
from agent.terminal import pipes
from agent.terminal.posix import spawn
from hatchway.core.documents.reading import LIMITS as DOCUMENTED
from tests.machine_user import MISSING, machine_user
from tests.unit.agent.test_account import order

#: Seconds until a command must have shown something.
PATIENCE = 10.0
as_root = pytest.mark.skipif(bool(MISSING), reason=MISSING)


def someone() -> Account:
    return account("nobody" if os.geteuid() == 0 else "")


def launch(text: str, user: Account | None = None, **settings: object) -> Launch:
    user = user or someone()
    return Launch(
        account=user,
        command=("/bin/sh", "-c", text),
        environment=environment(user, {}, {}),
        **settings,  # type: ignore[arg-type]
    )


def output(started: Launch) -> str:
    """All that the command prints."""
    made = pipes.spawn(started, apart=False)
    made.end_input()
    made.processes.reap()
    text = pipes.read(made.stdout, 1 << 16) or b""
    made.close()
    return text.decode()


def shown(started: Launch, until: str, typed: str = "") -> str:
    """What the command shows on a terminal, as far as `until`, or as far as it gets."""
    terminal, text = spawn(started, (80, 24)), b""
    terminal.write(typed.encode())
    while until.encode() not in text:
        ready, _, _ = select.select([terminal.master], [], [], PATIENCE)
        piece = terminal.read(4096) if ready else b""
        if piece == b"":
            break
        text += piece or b""
    terminal.processes.signal(9)
    terminal.processes.reap()
    terminal.close()
    return text.decode()


# --- identity -----------------------------------------------------------------------------------


@as_root
def test_identity_is_changed_for_good_and_so_are_the_groups() -> None:
    with machine_user() as (name, group):
        user = account(name)
        text = output(launch("id -nG; grep -E '^(Uid|Gid|Groups|CapEff)' /proc/self/status", user))
    lines = dict(line.split(":", 1) for line in text.splitlines()[1:])
    assert text.splitlines()[0].split() == [name, group]
    assert lines["Uid"].split() == [str(user.uid)] * 4
    assert lines["Gid"].split() == [str(user.gid)] * 4
    assert {int(one) for one in lines["Groups"].split()} == set(user.groups)
    assert int(lines["CapEff"], 16) == 0


@as_root
def test_it_starts_in_its_home_and_owns_what_it_writes_with_the_umask_of_a_login() -> None:
    with machine_user() as (name, _):
        text = output(launch('pwd; : >made; stat -c "%U %a" made; umask', account(name)))
    assert text.split() == [f"/home/{name}", name, "644", "0022"]


def test_a_home_that_cannot_be_entered_is_no_reason_not_to_start() -> None:
    from dataclasses import replace

    user = replace(someone(), home="/nonexistent/home")
    assert output(launch("pwd", user)) == "/\n"


def test_it_leads_a_session_and_no_signal_is_blocked_or_ignored() -> None:
    text = output(launch("ps -o pid=,sid= -p $$; grep -E '^Sig(Blk|Ign)' /proc/self/status"))
    pid, sid = text.splitlines()[0].split()
    masks = [int(line.split()[1], 16) & (1 << 31) - 1 for line in text.splitlines()[1:]]
    assert (pid == sid, masks) == (True, [0, 0])


def test_who_opens_its_standard_streams_again_may() -> None:
    assert output(launch("echo one >/dev/stderr; cat </dev/stdin; echo two")) == "one\ntwo\n"


# --- limits -------------------------------------------------------------------------------------


def test_limits_are_set_soft_and_hard() -> None:
    text = output(launch("ulimit -Sn; ulimit -Hn; ulimit -c", limits={"nofile": 77, "core": 0}))
    assert text.split() == ["77", "77", "0"]


def test_every_limit_of_a_document_is_one_that_can_be_set() -> None:
    assert set(DOCUMENTED.pattern.split("|")) == set(LIMITS)


def test_a_limit_that_cannot_be_set_is_named_and_nothing_runs(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    made = tmp_path / "made"
    with pytest.raises(StartFailed, match=r"cannot be set .* nofile 46"):
        output(launch(f": >{made}", limits={"nofile": 1 << 62}))
    with pytest.raises(StartFailed, match=r"cannot be set .* odd 1"):
        output(launch(f": >{made}", limits={"odd": 1}))
    assert not made.exists()


# --- environment --------------------------------------------------------------------------------

NODE_ENVIRONMENT = environment(Account("ann", 7, 7, (7,), "/home/ann", "/bin/sh", False), {}, {})


def found(told: Mapping[str, str], document: Mapping[str, str] | None = None) -> dict[str, str]:
    user = Account("ann", 7, 7, (7,), "/home/ann", "/bin/sh", False)
    return environment(user, told, document or {})


def test_without_a_word_from_anyone_there_is_a_plain_environment() -> None:
    assert found({}) == {
        "PATH": variables.PATH,
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "HOME": "/home/ann",
        "SHELL": "/bin/sh",
        "USER": "ann",
        "LOGNAME": "ann",
    }


def test_the_clients_terminal_and_language_count_where_the_node_knows_them() -> None:
    told = {"TERM": "vt100", "LANG": "C", "LC_TIME": "POSIX"}
    assert {name: found(told)[name] for name in told} == told
    unknown = {"TERM": "no-such-terminal", "LANG": "xx_XX.UTF-8", "LC_TIME": "xx_XX"}
    assert found(unknown) == found({})


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "x/xterm", ".", "\0"])
def test_a_terminals_name_is_no_path(name: str) -> None:
    assert not known_terminal(name)
    assert not known_locale("../" + name.replace("\0", ""))


def test_the_document_goes_before_the_client_and_nobody_sets_who_the_user_is() -> None:
    document = {"TERM": "dumb", "EDITOR": "vi", "PATH": "/opt/bin", "HOME": "/root", "USER": "root"}
    got = found({"TERM": "vt100"}, document)
    assert (got["TERM"], got["EDITOR"], got["PATH"]) == ("dumb", "vi", "/opt/bin")
    assert (got["HOME"], got["USER"], got["LOGNAME"]) == ("/home/ann", "ann", "ann")


def test_scripts_named_by_the_environment_do_not_run_before_the_command(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    script = tmp_path / "script"
    script.write_text("echo hooked\n")
    user = someone()
    hooked = environment(user, {}, {"ENV": str(script), "BASH_ENV": str(script), "CDPATH": "/"})
    for login in (False, True):
        run = Launch(account=user, command=("/bin/echo", "plain"), environment=hooked, login=login)
        assert shown(run, "plain").strip() == "plain"


# --- a login shell ------------------------------------------------------------------------------


def test_a_login_shell_has_a_login_shells_name() -> None:
    user = someone()
    for login, name in ((True, "-sh"), (False, "/bin/sh")):
        run = Launch(
            account=user,
            command=("/bin/sh",),
            environment=environment(user, {}, {}),
            login=login,
        )
        assert f"na:{name}:me" in shown(run, f"na:{name}:me", "echo na:$0:me\n")


# --- the banner ---------------------------------------------------------------------------------


def test_the_banner_says_where_who_and_whether_it_is_recorded() -> None:
    from dataclasses import replace

    asked = replace(
        order(banner=True), node="i-1", node_name="web", stage="prod", run_as="ann", recorded=True
    )
    user = Account("ann", 7, 7, (7,), "/", "/bin/sh", False)
    assert banner(asked, user) == (
        b"hatchway: web (i-1), prod, as ann\r\nhatchway: this session is recorded\r\n"
    )
    assert b"recorded" not in banner(replace(asked, recorded=False), user)
    assert banner(replace(order(), node="i-1"), user) == b""


def test_names_in_the_banner_cannot_move_the_cursor_or_turn_text_round() -> None:
    assert plain("a\x1b[2Jb\r\n\u202ec\x9bd\u2028e\x07") == "a[2Jbcde"
    assert len(plain("x" * 1000)) == MAX_NAME
    assert Client().environment == {}
