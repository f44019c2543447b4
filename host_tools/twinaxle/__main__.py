"""`python -m twinaxle` is the `twinaxle` command."""

import sys

from twinaxle.cli import main

sys.exit(main())
