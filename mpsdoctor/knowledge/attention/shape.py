"""The sizes of one attention call."""

from mpsdoctor.records import Record


class AttentionShape(Record):
    """One call of scaled_dot_product_attention, by the sizes of its arguments."""

    batch: int
    heads: int
    queries: int
    keys: int
    head_size: int
    masked: bool = False

    @property
    def scores(self) -> int:
        """The number of elements in the score matrix."""
        return self.batch * self.heads * self.queries * self.keys
