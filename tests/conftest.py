"""How every test runs."""

import os

from hypothesis import settings

# No deadlines: a busy machine is no fault of the code. Under CI the examples are always the same.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
