"""`python -m hatchway.cli`."""

import sys

from hatchway.cli.main import main

sys.exit(main())
