"""A report that shows itself where Python code is typed."""

import io

from rich.console import Console

from mpsdoctor.checks.report import Report
from mpsdoctor.reports import text

_PAGE = '<pre style="font-family: monospace; white-space: pre-wrap; line-height: 1.4">{code}</pre>'


class ShownReport(Report):
    """A report whose text is what `mpsdoctor check` prints; a notebook shows that in colour."""

    def __repr__(self) -> str:
        return text.render(self).plain.rstrip()

    def _repr_html_(self) -> str:
        """What Jupyter displays (ipython docs: config/integrating)."""
        page = Console(record=True, file=io.StringIO())
        page.print(text.render(self), soft_wrap=True)
        return page.export_html(inline_styles=True, code_format=_PAGE)
