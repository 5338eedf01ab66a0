"""What a report shows, and what it hides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mpsdoctor.facts.records import Facts, Folder, HubCache, Python, System
from mpsdoctor.facts.redact import Owner, redact, redact_text

ANNA = Owner(home="/Users/anna", user="anna", host="annas-macbook.local")


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("/Users/anna/venv/bin/python", "~/venv/bin/python"),
        ("/Users/anna", "~"),
        ("/Users/annabel/x", "/Users/USER/x"),
        ("/home/bob/.cache", "/home/USER/.cache"),
        ("anna@annas-macbook.local: hello anna", "USER@HOST: hello USER"),
        ("savanna", "savanna"),
        ("token hf_abcdefghijklmnop", "token hf_TOKEN"),
        ("https://me:secret@proxy:3128/", "https://USER:PASSWORD@proxy:3128/"),
        ("Serial Number (system): C02XK0AAJGH5", "Serial Number (system): SERIAL"),
        ("Serial Number: C02XK0AAJGH5", "Serial Number: SERIAL"),
        ("id 6B29FC40-CA47-1067-B31D-00DD010662DA", "id UUID"),
        ("/private/var/folders/zz/zyxvpxvq6csfxvn_n0/T/x", "/var/folders/USER/T/x"),
        ("torch 2.13.0 on macOS 15.5", "torch 2.13.0 on macOS 15.5"),
    ],
)
def test_names_and_secrets_are_replaced_by_what_they_are(text: str, redacted: str) -> None:
    """The report stays readable, and nothing in it identifies a person."""
    assert redacted == redact_text(text, ANNA)


@given(st.text(max_size=40), st.text(max_size=40))
def test_the_owners_home_never_stays(before: str, after: str) -> None:
    """The home folder in a path becomes `~`, anywhere in a text."""
    assert "/Users/anna/" not in redact_text(f"{before}/Users/anna/{after}", ANNA)


def test_facts_stay_facts() -> None:
    """A redacted record is still valid."""
    facts = Facts(
        system=System(kernel="Darwin", macos_version="15.5"),
        python=Python(version="3.12.1", executable="/Users/anna/venv/bin/python"),
        hub_cache=HubCache(
            folder=Folder(path="/Users/anna/hub", exists=True, usable=True),
            damaged=("/Users/anna/model",),
        ),
    )

    redacted = redact(facts, ANNA)

    assert "~/venv/bin/python" == redacted.python.executable
    assert redacted.hub_cache is not None
    assert ("~/hub", ("~/model",)) == (redacted.hub_cache.folder.path, redacted.hub_cache.damaged)
    assert facts.system == redacted.system
