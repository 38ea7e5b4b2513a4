"""What the handlers need from the world, as Protocols and plain records; no AWS types here.

`adapters/` implements each over AWS, `memory/` in memory; a contract test holds both to the same.
"""

from __future__ import annotations

from lambdas.ports.archive import *
from lambdas.ports.base import *
from lambdas.ports.delivery import *
from lambdas.ports.destinations import *
from lambdas.ports.documents import *
from lambdas.ports.lifecycle import *
from lambdas.ports.nodes import *
from lambdas.ports.people import *
from lambdas.ports.recordings import *
from lambdas.ports.sessions import *
from lambdas.ports.trail import *
