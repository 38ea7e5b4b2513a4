"""`python -m agent`."""

import sys

if __name__ == "__main__":
    # TLS and the digests of what flows are the AWS runtime's. asyncio and hashlib would load an
    # OpenSSL of their own, of three megabytes and more, and do without it.
    sys.modules["ssl"] = None  # type: ignore[assignment]
    sys.modules["_hashlib"] = None  # type: ignore[assignment]
    from agent.main import main

    sys.exit(main())
