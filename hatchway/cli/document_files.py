"""What the document verbs have in common: the content from a file, and how a document is shown."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hatchway.cli.options import add_common, add_output
from hatchway.cli.report import print_json
from hatchway.core.errors import ValidationException
from hatchway.core.screen import printable

if TYPE_CHECKING:
    from hatchway.client.documents import DocumentInfo

#: What the names of files mean; JSON is what remains.
_YAML = (".yaml", ".yml")
#: Bytes read of a file; the service takes less and says how much.
MAX_FILE = 256 * 1024
FILE_PREFIX = "file://"


def add_name(parser: argparse.ArgumentParser) -> None:
    add_common(parser)
    add_output(parser)
    parser.add_argument("--name", required=True, help="the document's name")


def add_content(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--content",
        required=True,
        metavar="FILE",
        help="the document: a path, file://PATH, or - for standard input",
    )
    parser.add_argument(
        "--document-format",
        choices=("JSON", "YAML"),
        help="how it is written (default: by the file's name, else JSON)",
    )


def content(args: argparse.Namespace) -> tuple[str, str]:
    """The text and its format; ValidationException where it cannot be read."""
    path = args.content.removeprefix(FILE_PREFIX)
    try:
        if path == "-":
            data = sys.stdin.buffer.read(MAX_FILE + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(MAX_FILE + 1)
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ValidationException(f"--content {path}: {why}.") from None
    if len(data) > MAX_FILE:
        raise ValidationException(f"--content {path}: it is larger than {MAX_FILE} bytes.")
    return text, args.document_format or ("YAML" if path.lower().endswith(_YAML) else "JSON")


def show(args: argparse.Namespace, document: DocumentInfo) -> int:
    if args.output == "json":
        print_json({"Document": document.members()})
        return 0
    for name, value in document.members().items():
        print(f"{name}: {printable(str(value))}")
    return 0
