"""`python -m sim.cli`: the same command as `undertow`."""

import sys

from sim.cli import main

sys.exit(main())
