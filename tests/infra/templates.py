"""Reading a synthesised template: resources by type, policies by statement, values as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Resources:
    """One template."""

    template: dict[str, Any]

    @property
    def outputs(self) -> dict[str, Any]:
        found: dict[str, Any] = self.template.get("Outputs", {})
        return found

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Logical id → resource."""
        return {
            name: resource
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == kind
        }

    def properties(self, kind: str) -> list[dict[str, Any]]:
        return [resource.get("Properties", {}) for resource in self.of(kind).values()]

    def one(self, kind: str, **properties: object) -> dict[str, Any]:
        """The properties of the only resource of a type that has these."""
        found = [
            each
            for each in self.properties(kind)
            if all(text(each.get(key)) == value for key, value in properties.items())
        ]
        assert len(found) == 1, f"{len(found)} of {kind} with {properties}"
        return found[0]

    def statements_of(self, role: str) -> list[dict[str, Any]]:
        """The inline statements of the role whose logical id begins with `role`."""
        return [
            statement
            for policy in self.properties("AWS::IAM::Policy")
            if any(str(each["Ref"]).startswith(role) for each in policy["Roles"])
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def all_statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every statement of every policy document: where it stands, and itself."""
        for name, resource in self.template["Resources"].items():
            yield from _statements(name, resource.get("Properties", {}))


def _statements(where: str, value: object) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "Statement" and isinstance(inner, list):
                yield from ((where, each) for each in inner)
            else:
                yield from _statements(f"{where}.{key}", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _statements(where, inner)


@dataclass(frozen=True)
class Stacks:
    """The templates of one deployment."""

    data: Resources
    service: Resources
    network: Resources | None


def text(value: Any) -> Any:
    """A value with its intrinsic functions written out: `<Ref>`, `<Id.Attribute>`, `<Import>`."""
    match value:
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(str(text(part)) for part in parts)
        case {"Ref": str(name)}:
            return f"<{name}>"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"<{name}.{attribute}>"
        case {"Fn::ImportValue": imported}:
            return f"<{text(imported)}>"
        case list():
            return [text(each) for each in value]
        case _:
            return value


def listed(value: Any) -> list[Any]:
    """One or several, as CDK writes either."""
    return value if isinstance(value, list) else [value]
