"""What Hatchway's events say: one builder for each detail type, and nothing secret in any.

`docs/events` has a JSON Schema for each. Builders are shared by the families that put events on
the bus; which changes are events is theirs to say.
"""

from __future__ import annotations

from lambdas.details.denials import *
from lambdas.details.nodes import *
from lambdas.details.recordings import *
from lambdas.details.sessions import *
from lambdas.details.text import *
from lambdas.details.told import *
