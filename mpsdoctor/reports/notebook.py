"""A report that displays itself in a notebook and at a Python prompt."""

import io

from rich.console import Console

from mpsdoctor.checks.report import Report
from mpsdoctor.reports import text

_PAGE = '<pre style="font-family: monospace; white-space: pre-wrap; line-height: 1.4">{code}</pre>'


class ShownReport(Report):
    """A report with the text that `mpsdoctor check` prints; a notebook shows it in color."""

    def __repr__(self) -> str:
        return text.render(self).plain.rstrip()

    def _repr_html_(self) -> str:
        """What Jupyter displays (ipython docs: config/integrating)."""
        page = Console(record=True, file=io.StringIO())
        page.print(text.render(self), soft_wrap=True)
        return page.export_html(inline_styles=True, code_format=_PAGE)
