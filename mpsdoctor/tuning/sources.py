"""Sources that several rules share."""

from typing import Final

GUIDE: Final = "diffusers docs: optimization/mps"
TORCH_DOCS: Final = "pytorch docs: mps_environment_variables"
