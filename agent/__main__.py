"""`python -m agent`."""

import sys

if __name__ == "__main__":
    # TLS is the AWS runtime's. asyncio would load OpenSSL for TLS of its own, and do without it.
    sys.modules["ssl"] = None  # type: ignore[assignment]
    from agent.main import main

    sys.exit(main())
