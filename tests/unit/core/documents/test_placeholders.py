"""Values in commands stay one word of the shell: asked of real shells, where there are any."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatchway.core import documents
from hatchway.core.documents import Parameter, ParameterType, Platform, placeholders
from hatchway.core.documents.patterns import Pattern
from hatchway.core.errors import InvalidDocument, InvalidParameters

SHELLS = [found for name in ("sh", "bash", "dash", "busybox") if (found := shutil.which(name))]
KNOWN = {"x": Parameter(), "y": Parameter()}
EVIL = (
    "",
    " ",
    "plain",
    "$(touch pwned)",
    "`touch pwned`",
    "'; touch pwned; '",
    '"; touch pwned; "',
    "'\"'\"'; touch pwned #",
    "a\nb",
    "\\",
    "\\'",
    "'",
    "''",
    "-n",
    "*",
    "~",
    "!x",
    "${IFS}",
    "{{ y }}",
    "é\u2019\u2028",
    "a b\tc",
    "&& touch pwned",
    "|touch pwned",
    "#",
)

#: What a document may say around a placeholder, and what then comes out for a value of x.
ACCEPTED = (
    ("printf %s {{ x }}", "{}"),
    ("printf %s {{x}}", "{}"),
    ("printf %s --file={{ x }}", "--file={}"),
    ("printf %s /var/log/{{ x }}.log", "/var/log/{}.log"),
    ('printf %s "$HOME"{{ y }} >/dev/null; printf %s {{ x }}'.replace("{{ y }}", ""), "{}"),
    ("v={{ x }}; printf %s \"$v\"", "{}"),
    ("printf %s 'it''s: '; printf %s {{ x }}", "its: {}"),
    ('printf %s "a\\"b"; printf %s {{ x }}', 'a"b{}'),
    ("printf %s $(printf %s/ {{ x }} | wc -l) >/dev/null; printf %s {{ x }}", "{}"),
    ("case {{ x }} in *) printf %s {{ x }};; esac", "{}"),
    ('printf %s "${HOME}$HOME" >/dev/null; printf %s {{ x }}', "{}"),
    ("printf '%s' \\# {{ x }}", "#{}"),
    ("docker ps --format '{{.Names}}' 2>/dev/null; printf %s {{ x }}", "{}"),
)  # fmt: skip


def run(shell: str, command: str) -> str:
    line = [shell, "sh", "-c", command] if shell.endswith("busybox") else [shell, "-c", command]
    done = subprocess.run(line, capture_output=True, timeout=10, cwd="/")
    return done.stdout.decode()


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("text", "expected"), ACCEPTED)
def test_any_value_is_one_word_to_the_shell(shell: str, text: str, expected: str) -> None:
    assert placeholders.misplaced(text, Platform.LINUX, KNOWN) == ""
    parts = [placeholders.filled(text, Platform.LINUX, {"x": [value]}) for value in EVIL]
    said = run(shell, "\nprintf '\\036'\n".join(parts))
    assert said.split("\036") == [expected.format(value) for value in EVIL]


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_no_text_at_all_is_more_than_one_word(value: str) -> None:
    command = placeholders.filled("printf %s. {{ x }}", Platform.LINUX, {"x": [value]})
    assert run(SHELLS[0], command) == f"{value}."


@pytest.mark.parametrize(
    "text",
    [
        "echo '{{ x }}'",
        "echo ' {{ x }} '",
        'echo "$(y)" {{ x }}',
        'echo "{{ x }}"',
        'echo "a $(echo "{{ x }}")"',
        'echo "${a:-"{{ x }}"}"',
        'echo "`echo "{{ x }}"`"',
        "echo ${a:-{{ x }}}",
        "echo `echo {{ x }}`",
        "echo $((1 + {{ x }}))",
        "((a = {{ x }}))",
        "echo $[{{ x }}]",
        "echo ${{ x }}",
        "echo \\{{ x }}",
        "echo $'a' {{ x }}",
        'echo $"a" {{ x }}',
        "cat <<EOF\n{{ x }}\nEOF",
        "cat <<< {{ x }}",
        "echo 1 # {{ x }}",
        "# it's\necho {{ x }}",
        "echo {{ x }} 'open",
        'echo {{ x }} "open',
        "echo {{ x }}{{ y }}",
        "echo a[{{ x }}]",
        "echo {{ z }}",
        "echo {{ ssm:secret }}",
        "echo {{ssm-secure:secret}}",
    ],
)
def test_a_placeholder_where_a_quote_would_not_hold_is_refused(text: str) -> None:
    assert placeholders.misplaced(text, Platform.LINUX, KNOWN)
    assert placeholders.misplaced(text, Platform.MACOS, KNOWN)


def test_text_without_placeholders_may_say_anything() -> None:
    text = 'cat <<EOF # `x` "$(y)" \'open\nEOF'
    for platform in Platform:
        assert placeholders.misplaced(text, platform, {}) == ""


# --- PowerShell: no such shell here, so what its language says of quotes stands for it ------------
# https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("a", "'a'"),
        ("it's", "'it''s'"),
        ("\u2018a\u2019b\u201ac\u201b", "'\u2018\u2018a\u2019\u2019b\u201a\u201ac\u201b\u201b'"),
        ('$(x) `n "', "'$(x) `n \"'"),
    ],
)
def test_a_value_is_a_literal_string_to_powershell(value: str, quoted: str) -> None:
    text = "Write-Output {{ x }}"
    assert placeholders.misplaced(text, Platform.WINDOWS, KNOWN) == ""
    assert placeholders.filled(text, Platform.WINDOWS, {"x": [value]}) == f"Write-Output {quoted}"


@pytest.mark.parametrize(
    "text",
    [
        "echo '{{ x }}'",
        "echo ' {{ x }} '",
        'echo "$(y)" {{ x }}',
        'echo "{{ x }}"',
        "echo \u201c{{ x }}\u201d",
        'echo "$("{{ x }}")"',
        'echo "`"{{ x }}"',
        "echo `{{ x }}",
        "echo @{{ x }}",
        "echo @'\n{{ x }}\n'@",
        'echo @"\n{{ x }}\n"@',
        "echo 1 # {{ x }}",
        "<# {{ x }} #>",
        "icacls --% {{ x }}",
        "echo {{ x }}'a'",
        "echo 'open {{ x }}",
        "echo {{ x }} 'open",
    ],
)
def test_a_placeholder_where_powershell_reads_otherwise_is_refused(text: str) -> None:
    assert placeholders.misplaced(text, Platform.WINDOWS, KNOWN)


@pytest.mark.parametrize(
    "text", ["echo 'a''b' {{ x }}", 'echo "$name" {{ x }}', "Get-Content -Path {{ x }}"]
)
def test_quotes_besides_a_placeholder_are_followed(text: str) -> None:
    assert placeholders.misplaced(text, Platform.WINDOWS, KNOWN) == ""


# --- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameter", "values", "why"),
    [
        (Parameter(), ["a"], ""),
        (Parameter(), [], "takes one value"),
        (Parameter(), ["a", "b"], "takes one value"),
        (Parameter(), ["a\x1b"], "has a control character"),
        (Parameter(), ["a\rb"], "has a control character"),
        (Parameter(), ["a" * 4096], ""),
        (Parameter(), ["a" * 4097], "takes 0 to 4096 characters"),
        (Parameter(max_chars=9999), ["a" * 4097], "takes 0 to 9999 characters"),
        (Parameter(min_chars=2), ["a"], "takes 2 to 4096 characters"),
        (Parameter(type=ParameterType.INTEGER), ["-12"], ""),
        (Parameter(type=ParameterType.INTEGER), ["1e3"], "takes a whole number"),
        (Parameter(type=ParameterType.INTEGER), ["\u0661"], "takes a whole number"),
        (Parameter(type=ParameterType.BOOLEAN), ["true"], ""),
        (Parameter(type=ParameterType.BOOLEAN), ["True"], "takes true or false"),
        (Parameter(type=ParameterType.STRING_LIST), [], ""),
        (Parameter(type=ParameterType.STRING_LIST), ["a"] * 50, ""),
        (Parameter(type=ParameterType.STRING_LIST), ["a"] * 51, "takes 50 values at most"),
        (Parameter(allowed_values=("a", "b")), ["b"], ""),
        (Parameter(allowed_values=("a", "b")), ["ab"], "is not one of the allowed values"),
        (Parameter(allowed_pattern=Pattern("[a-z]+")), ["abc"], ""),
        (Parameter(allowed_pattern=Pattern("[a-z]+")), ["abc\n"], "does not match [a-z]+"),
        (Parameter(allowed_pattern=Pattern("[a-z]+")), ["a; b"], "does not match [a-z]+"),
    ],
)
def test_values_are_what_the_parameter_says(
    parameter: Parameter, values: list[str], why: str
) -> None:
    assert placeholders.refusal(parameter, values) == why


def command(text: str, **parameters: dict[str, object]) -> documents.Document:
    return documents.parse(
        {
            "schemaVersion": "1.0",
            "sessionType": "NonInteractiveCommands",
            "parameters": parameters,
            "properties": {"linux": {"commands": text}, "windows": {"commands": text}},
        }
    )


def test_a_list_becomes_several_words() -> None:
    made = command("echo {{ x }}", x={"type": "StringList", "default": ["a b", "c"]})
    found = documents.fill(made, {}).properties
    assert found.linux is not None
    assert found.windows is not None
    assert found.linux.commands == "echo 'a b' 'c'"
    assert found.windows.commands == "echo 'a b', 'c'"


def test_parameters_are_those_of_the_document_and_all_of_them() -> None:
    made = command("echo {{ x }}", x={"type": "String", "maxChars": 3})
    with pytest.raises(InvalidParameters, match="The parameter x is missing"):
        documents.fill(made, {})
    with pytest.raises(InvalidParameters, match="has no parameter y"):
        documents.fill(made, {"x": ["a"], "y": ["b"]})
    with pytest.raises(InvalidParameters, match="The parameter x takes 0 to 3 characters"):
        documents.fill(made, {"x": ["long"]})


def test_a_document_that_grows_too_large_is_refused() -> None:
    made = command("echo " + "{{ x }} " * 8, x={"type": "String"})
    assert documents.fill(made, {"x": ["a" * 3000]})
    with pytest.raises(InvalidParameters, match="too large"):
        documents.fill(made, {"x": ["a" * 4096]})


def test_the_documents_of_aws_take_a_command_as_it_is() -> None:
    text = documents.resolve("AWS-StartNonInteractiveCommand", {"command": ["ls 'a b' | wc -l"]})
    found = documents.read(text).properties.of(Platform.LINUX)
    assert found is not None
    assert found.commands == "ls 'a b' | wc -l"
    with pytest.raises(InvalidParameters):
        documents.resolve("AWS-StartNonInteractiveCommand", {})
    with pytest.raises(InvalidDocument):
        documents.resolve("AWS-StartSSHSession", {})
