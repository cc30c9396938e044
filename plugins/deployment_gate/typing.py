"""The types of what the gate's fixtures hand out, for the annotations of checks."""

from deployment_gate.api.collections import Item, Listing
from deployment_gate.api.contract import Contract
from deployment_gate.api.facts import SharedFact
from deployment_gate.api.journeys import JourneyRun
from deployment_gate.api.pages import Page
from deployment_gate.api.sessions import Sessions, Token
from deployment_gate.data_fixtures import SeenCache, SeenDatabase
from deployment_gate.environment import ApiTarget, Environment, WebTarget
from deployment_gate.fixtures import HealthResult
from deployment_gate.load.seen import SeenLoad
from deployment_gate.load.targets import TargetResult
from deployment_gate.security.handshakes import TlsServer
from deployment_gate.security.rules import Looked
from deployment_gate.security_fixtures.access import AccessLooks
from deployment_gate.web.journeys import JourneyTaken
from deployment_gate.web.links import LinkStatus
from deployment_gate.web.seen import PictureSeen, SeenPage, SeenSpeed

__all__ = [
    "AccessLooks",
    "ApiTarget",
    "Contract",
    "Environment",
    "HealthResult",
    "Item",
    "JourneyRun",
    "JourneyTaken",
    "LinkStatus",
    "Listing",
    "Looked",
    "Page",
    "PictureSeen",
    "SeenCache",
    "SeenDatabase",
    "SeenLoad",
    "SeenPage",
    "SeenSpeed",
    "Sessions",
    "SharedFact",
    "TargetResult",
    "TlsServer",
    "Token",
    "WebTarget",
]
