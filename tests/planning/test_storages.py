"""Which memory counts as alive."""

import torch
from torch.nn import functional

from mpsdoctor.knowledge.attention.shape import AttentionShape
from mpsdoctor.planning.footprint import AttentionCall
from mpsdoctor.planning.storages import LiveStorages, OpaqueAttention


def test_what_operations_make_counts_as_long_as_it_lives() -> None:
    """Rounded up to 512 bytes; views and parameters count nothing, sums are two per product."""
    parameter = torch.zeros(100, 10)
    storages = LiveStorages([parameter])
    given = torch.zeros(3, 100)  # 1200 bytes: three grains
    storages.hold({"given": [given]})
    with storages:
        product = given @ parameter  # 3 * 10 * 4 bytes: one grain
        large = torch.zeros(1000)  # 4000 bytes: eight grains
        assert (12 * 512, 8 * 512) == (storages.live, storages.largest)
        view = large[:10]
        storages.hold((view, parameter, given))
        assert 12 * 512 == storages.live
        del large
        assert 12 * 512 == storages.live
        del view
        assert 4 * 512 == storages.live
    del product, given

    assert (0, 12 * 512, 8 * 512) == (storages.live, storages.peak, storages.largest)
    assert 2 * 3 * 100 * 10 == storages.flops


def test_other_grains_round_to_themselves() -> None:
    """One byte more is one grain more."""
    storages = LiveStorages(grain=16)
    tensors = [torch.zeros(size, dtype=torch.uint8) for size in (16, 17)]

    storages.hold(tensors)

    assert (16 + 32, 32) == (storages.live, storages.largest)


def test_attention_is_recorded_and_makes_its_output_only() -> None:
    """One entry per shape, with the most that was alive; other functions are untouched."""
    storages = LiveStorages()
    attention = OpaqueAttention(storages)
    query, key = torch.zeros(2, 3, 4, 5, 128), torch.zeros(2, 3, 4, 6, 128)
    value = torch.zeros(2, 3, 4, 6, 64, dtype=torch.float32)
    flat = torch.zeros(5, 128, dtype=torch.float16)
    with storages, attention:
        ahead = torch.zeros(128)  # 512 bytes
        first = functional.scaled_dot_product_attention(query, key, value)
        functional.scaled_dot_product_attention(query, key, value)
        del ahead
        functional.scaled_dot_product_attention(query, key, value=value, attn_mask=None)
        functional.scaled_dot_product_attention(flat, flat, flat, torch.zeros(5, 5))
        assert 2 == functional.relu(torch.tensor(2.0))

    assert (2, 3, 4, 5, 64) == first.shape
    output = 2 * 3 * 4 * 5 * 64 * 4
    shape = AttentionShape(batch=6, heads=4, queries=5, keys=6, head_size=128)
    alone = AttentionShape(batch=1, heads=1, queries=5, keys=5, head_size=128, masked=True)
    assert attention.calls == (
        AttentionCall(shape=shape, count=3, live_bytes=512 + output, dtype="float32"),
        AttentionCall(shape=alone, count=1, live_bytes=output + 512, dtype="float16"),
    )
    scores = 6 * 4 * 5 * 6
    assert 3 * (2 * scores * 128 + 2 * scores * 64) + 4 * 25 * 128 == storages.flops
