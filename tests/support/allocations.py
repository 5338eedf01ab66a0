"""What the CPU's allocator gives, as torch's profiler records it."""

from collections.abc import Callable
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile


def peak_bytes(call: Callable[[], object]) -> int:
    """The most bytes alive at once of all that `call` allocates, its result included."""
    with torch.no_grad(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        call()
    changes = sorted(_changes(seen.profiler.kineto_results.experimental_event_tree()))
    live = peak = 0
    for _, size in changes:
        live += size
        peak = max(peak, live)
    return peak


def _changes(events: list[Any]) -> list[tuple[int, int]]:
    """When, and by how many bytes."""
    found = []
    for event in events:
        if type(event.extra_fields).__name__ == "_ExtraFields_Allocation":
            found.append((event.start_time_ns, event.extra_fields.alloc_size))
        found += _changes(event.children)
    return found
