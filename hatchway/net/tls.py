"""TLS as every connection of ours uses it: 1.2 or newer, certificate and host name checked.

There is no switch to turn either off.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from hatchway.core.errors import ConfigurationInvalid


def client_context(ca_bundle: Path | None = None) -> ssl.SSLContext:
    """A context that trusts the authorities in `ca_bundle`, or else the system's.

    As with the AWS CLI's own ca_bundle the file replaces the system's authorities: who names one
    wants nobody else to be able to vouch for the service.
    """
    try:
        context = ssl.create_default_context(cafile=str(ca_bundle) if ca_bundle else None)
    except (ssl.SSLError, OSError):
        raise ConfigurationInvalid(f"ca_bundle holds no certificates: {ca_bundle}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
