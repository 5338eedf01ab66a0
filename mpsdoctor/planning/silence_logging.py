"""Silences the libraries' advice: nothing here renders, and what they warn of is not to come."""

import warnings


def be_quiet() -> None:
    """For a process of its own."""
    import diffusers.utils.logging
    import transformers.utils.logging

    diffusers.utils.logging.set_verbosity(50)
    transformers.utils.logging.set_verbosity(50)
    warnings.simplefilter("ignore")
