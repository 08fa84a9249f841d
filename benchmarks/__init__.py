"""Speed beside what a user would pick instead, measured in the same run."""

import os
import tempfile

# A cold start is one with no compiled programs kept from earlier runs.
_EMPTY = tempfile.TemporaryDirectory(prefix="synthlaw-benchmark-")
os.environ["SYNTHLAW_CACHE"] = _EMPTY.name
