"""Operations that explain access, and the types of their answers."""

from __future__ import annotations

from hatchway.core import errors
from hatchway.core.api.members import MORE, PRINCIPAL_RESOURCE, page_of
from hatchway.core.api.vocabulary import DOCUMENT_NAME, LABEL, NODE_ID
from hatchway.core.shapes import Many, Member, Number, Operation, Record, Table, Text

MAX_STATEMENTS = 100  # in one check of an explanation; the nearest first
MAX_VALUES = 20  # of one element of a statement
MAX_PRINCIPALS = 25  # principals that one page of WhoCan looks at: each costs IAM a dozen calls
MAX_CAN_NODES = 100  # nodes that one page of WhatCan looks at

PRINCIPAL_ARN = Text(
    name="PrincipalArn",
    most=2048,
    least=20,
    pattern=r"^arn:[a-z-]+:(?:iam::[0-9]{12}:(?:user|role)/[!-~]+"
    r"|sts::[0-9]{12}:assumed-role/[\w+=,.@-]{1,64}/[\w+=,.@-]{1,64})$",
)
POLICY_TEXT = Text(name="PolicyText", most=10_240, least=2)
POLICY_NAME = Text(name="PolicyName", most=2048)
VERDICT = Text(
    name="Verdict",
    most=16,
    choices=("Allowed", "Conditional", "ImplicitlyDenied", "ExplicitlyDenied"),
)
CONTEXT_KEYS = Many(name="ContextKeyList", element=Text(name="ContextKey", most=256), most=200)
EXPLAINED_VALUES = Many(name="ExplainedValueList", element=LABEL, most=MAX_VALUES)
CONTEXT = Table(
    name="Context",
    key=Text(name="AssumedKey", most=256, pattern=r"^[A-Za-z0-9.-]+:[!-~]+$"),
    value=Many(name="AssumedValueList", element=Text(name="AssumedValue", most=256), most=20),
    most=20,
)
MISMATCH = Record(
    name="Mismatch",
    members=(
        Member(
            name="Element",
            type=Text(name="Element", most=11, choices=("Resource", "NotResource", "Condition")),
            doc="The part of the statement that failed.",
        ),
        Member(name="Operator", type=LABEL, doc="The condition's operator."),
        Member(name="Key", type=LABEL, doc="The condition's key."),
        Member(name="Expected", type=EXPLAINED_VALUES, doc="What the policy asks for."),
        Member(name="Actual", type=EXPLAINED_VALUES, doc="What the request has."),
        Member(
            name="Presence",
            type=Text(name="Presence", most=7, choices=("present", "absent", "unknown")),
            doc="Whether the request has a value.",
        ),
        Member(name="Unknown", type=CONTEXT_KEYS, doc="Keys that it hangs on, and are unknown."),
        Member(name="Absent", type=CONTEXT_KEYS, doc="Variables in it that have no value."),
    ),
)
STATEMENT_REPORT = Record(
    name="StatementReport",
    members=(
        Member(
            name="PolicyLayer",
            type=Text(name="PolicyLayer", most=8, choices=("identity", "boundary", "scp")),
            doc="What kind of policy it stands in.",
        ),
        Member(name="Source", type=LABEL, doc="Where the policy hangs: user, group, role."),
        Member(name="Policy", type=LABEL, doc="The policy's name, or its ARN."),
        Member(name="Sid", type=LABEL, doc="The statement's id, if it has one."),
        Member(
            name="Index", type=Number(name="Index", least=0, most=10_000), doc="Its place, from 0."
        ),
        Member(
            name="Effect", type=Text(name="Effect", most=5, choices=("Allow", "Deny")), doc="Its."
        ),
        Member(
            name="Result",
            type=Text(name="Result", most=14, choices=("Applied", "AppliedInDoubt", "NotApplied")),
            doc="A Deny applies in doubt where it hangs on what is unknown.",
        ),
        Member(
            name="Mismatches",
            type=Many(name="MismatchList", element=MISMATCH, most=MAX_STATEMENTS),
            doc="What failed, or is in doubt.",
        ),
    ),
)
CHECK = Record(
    name="Check",
    members=(
        Member(
            name="Layer",
            type=Text(name="AccessLayer", most=11, choices=("execute-api", "ssm")),
            doc="API Gateway's check, or Hatchway's own.",
        ),
        Member(name="Action", type=LABEL, doc="The action."),
        Member(name="Resource", type=LABEL, doc="The resource."),
        Member(name="Decision", type=VERDICT, doc="What the policies say."),
        Member(name="PolicyLayer", type=LABEL, doc="Which kind of policy refused."),
        Member(name="Unknown", type=CONTEXT_KEYS, doc="Keys that it hung on, and are unknown."),
        Member(
            name="Statements",
            type=Many(name="StatementList", element=STATEMENT_REPORT, most=MAX_STATEMENTS),
            doc="The statements that name the action, those that applied first.",
        ),
    ),
)
PRINCIPAL = Record(
    name="PrincipalAccess",
    members=(
        Member(name="PrincipalArn", type=PRINCIPAL_ARN, doc="A user or role."),
        Member(
            name="Decision",
            type=Text(
                name="ListedVerdict", most=11, choices=("Allowed", "Conditional", "Unreadable")
            ),
            doc="Unreadable where IAM did not give out its policies: it may or may not.",
        ),
        Member(name="Unknown", type=CONTEXT_KEYS, doc="The keys that it hangs on."),
    ),
)
NODE_ACCESS = Record(
    name="NodeAccess",
    members=(
        Member(name="NodeId", type=NODE_ID, doc="The node."),
        Member(name="Name", type=LABEL, doc="Its Name tag, as EC2 has it."),
        Member(name="Decision", type=VERDICT, doc="Allowed or Conditional."),
        Member(name="Unknown", type=CONTEXT_KEYS, doc="The keys that it hangs on."),
    ),
)

_EXPLAINED = Member(
    name="PrincipalArn",
    type=PRINCIPAL_ARN,
    doc="A user, a role or a role session; the caller where it is absent.",
)
_ON_NODE = Member(name="Target", type=NODE_ID, doc="The node, an EC2 instance id.", required=True)
_WITH_DOCUMENT = Member(
    name="DocumentName", type=DOCUMENT_NAME, doc="The session document, if one is named."
)
_ASSUMED = Member(
    name="Context",
    type=CONTEXT,
    doc="Values to assume for condition keys, as aws:SourceIp, that only a request has.",
)


EXPLAIN_ACCESS = Operation(
    name="ExplainAccess",
    method="POST",
    path="/access/explain",
    doc="Says whether somebody may start a session on a node, and which statements decide it.",
    action="iam:SimulatePrincipalPolicy",
    resource=PRINCIPAL_RESOURCE,
    takes=(
        _EXPLAINED,
        _ON_NODE,
        _WITH_DOCUMENT,
        Member(
            name="WithPolicies",
            type=Many(name="PolicyTextList", element=POLICY_TEXT, most=5),
            doc="Policies, as JSON, to try in addition: nothing is changed.",
        ),
        Member(
            name="WithoutPolicies",
            type=Many(name="PolicyNameList", element=POLICY_NAME, most=20),
            doc="Names or ARNs of the principal's policies to leave out.",
        ),
        _ASSUMED,
    ),
    gives=(
        Member(name="PrincipalArn", type=PRINCIPAL_ARN, doc="Whom it is about.", required=True),
        Member(name="Target", type=NODE_ID, doc="The node.", required=True),
        Member(name="Decision", type=VERDICT, doc="Both layers together.", required=True),
        Member(
            name="Checks",
            type=Many(name="CheckList", element=CHECK, most=3),
            doc="What was asked, in order.",
            required=True,
        ),
        Member(
            name="Remarks",
            type=Many(name="RemarkList", element=LABEL, most=20),
            doc="What else matters.",
        ),
    ),
    raises=(errors.DoesNotExistException, errors.InvalidDocument, errors.UnsupportedNodeType),
)
WHO_CAN = Operation(
    name="WhoCan",
    method="POST",
    path="/access/who-can",
    doc="Lists the users and roles who may start a session on a node.",
    action="iam:SimulatePrincipalPolicy",
    resource="*",
    takes=(_ON_NODE, _WITH_DOCUMENT, _ASSUMED, *page_of("MaxPrincipals", MAX_PRINCIPALS)),
    gives=(
        Member(
            name="Principals",
            type=Many(name="PrincipalAccessList", element=PRINCIPAL, most=MAX_PRINCIPALS),
            doc="Who may, on this page.",
            required=True,
        ),
        MORE,
    ),
    raises=(errors.InvalidDocument, errors.InvalidNextToken, errors.UnsupportedNodeType),
    paginated="Principals",
)
WHAT_CAN = Operation(
    name="WhatCan",
    method="POST",
    path="/access/what-can",
    doc="Lists the nodes on which somebody may start a session.",
    action="iam:SimulatePrincipalPolicy",
    resource=PRINCIPAL_RESOURCE,
    takes=(_EXPLAINED, _WITH_DOCUMENT, _ASSUMED, *page_of("MaxNodes", MAX_CAN_NODES)),
    gives=(
        Member(
            name="Nodes",
            type=Many(name="NodeAccessList", element=NODE_ACCESS, most=MAX_CAN_NODES),
            doc="The nodes, on this page.",
            required=True,
        ),
        MORE,
    ),
    raises=(errors.DoesNotExistException, errors.InvalidDocument, errors.InvalidNextToken),
    paginated="Nodes",
)
