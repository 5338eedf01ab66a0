"""The networks of a pipeline, also where `torch.compile` has wrapped them."""

from typing import Any


def original(module: Any) -> Any:  # noqa: ANN401
    """The module that `torch.compile` wrapped; any other is returned as it is.

    The wrapper passes most on to the module, but has children and an instance dictionary of its
    own, and raises TypeError when it is asked for its truth value (`OptimizedModule` of
    torch/_dynamo/eval_frame.py).
    """
    return getattr(module, "_orig_mod", module)


def component(pipe: Any, *names: str) -> Any:  # noqa: ANN401
    """The first of these that the pipeline has, unwrapped; None where it has none of them."""
    found = (getattr(pipe, name, None) for name in names)
    return next((original(part) for part in found if part is not None), None)
