"""The networks of a pipeline, even if `torch.compile` has wrapped them."""

from typing import Any


def original(module: Any) -> Any:  # noqa: ANN401
    """The module that `torch.compile` wrapped; any other module is returned unchanged.

    The wrapper forwards most attributes, but has its own children and instance dictionary. Its
    truth value raises TypeError (`OptimizedModule` of torch/_dynamo/eval_frame.py).
    """
    return getattr(module, "_orig_mod", module)


def component(pipe: Any, *names: str) -> Any:  # noqa: ANN401
    """The first of these components that the pipeline has, unwrapped; None if it has none."""
    found = (getattr(pipe, name, None) for name in names)
    return next((original(part) for part in found if part is not None), None)
