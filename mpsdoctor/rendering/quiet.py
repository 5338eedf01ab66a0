"""Libraries' chatter, kept out of mpsdoctor's own processes."""

import os


def quieten_libraries() -> None:
    """Turns off progress bars of loading, and advice about packages that nothing here needs.

    To be called before Diffusers and Transformers are imported: the advice comes then.
    """
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    import diffusers.utils.logging
    import transformers.utils.logging

    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
