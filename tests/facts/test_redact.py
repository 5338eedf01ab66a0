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
        ("/Users/anna-old/x", "/Users/USER/x"),
        ("see /Users/anna: it", "see ~: it"),
        ("/Users/anna.old", "/Users/USER"),
        ("/users/anna", "/users/USER"),
        *((f"{prefix}abcdefgh", f"{prefix}TOKEN") for prefix in ("hf_", "ghp_", "github_pat_")),
        *((f"{prefix}abcdefgh", f"{prefix}TOKEN") for prefix in ("sk-", "xoxa-", "xoxb-", "xoxp-")),
        ("hf_abcdefg", "hf_abcdefg"),
        ("https://proxy:3128/a@b", "https://proxy:3128/a@b"),
        ("serial: C02XK0A", "serial: C02XK0A"),
        ("serial: c02xk0aa", "serial: SERIAL"),
        ("6b29fc40-ca47-1067-b31d-00dd010662da", "UUID"),
        ("6B29FC40-CA47-1067-B31D-00DD010662DAB", "6B29FC40-CA47-1067-B31D-00DD010662DAB"),
        ("/var/folders/zz/zyx/T/x", "/var/folders/USER/T/x"),
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


@pytest.mark.parametrize(
    ("owner", "text"),
    [
        (Owner(), "/Users and a host"),
        (Owner(home="/", user="me", host="it"), "/ me it"),
        (Owner(user="a.c"), "abc"),
    ],
)
def test_a_name_that_is_too_short_or_a_pattern_changes_nothing(owner: Owner, text: str) -> None:
    """Names of one or two letters are words, and a name is not a regular expression."""
    assert redact_text(text, owner) == text
    assert redact_text("bob met ann", Owner(user="ann", host="bob")) == "HOST met USER"


@given(st.text(max_size=40), st.text(max_size=40))
def test_the_owners_home_never_stays(before: str, after: str) -> None:
    """The home folder in a path becomes `~`, anywhere in a text."""
    assert "/Users/anna/" not in redact_text(f"{before}/Users/anna/{after}", ANNA)


def test_facts_stay_facts() -> None:
    """A redacted record is still valid; keys, such as the names of packages, stay."""
    facts = Facts(
        system=System(kernel="Darwin", macos_version="15.5"),
        python=Python(version="3.12.1", executable="/Users/anna/venv/bin/python"),
        packages={"anna": "anna"},
        hub_cache=HubCache(
            folder=Folder(path="/Users/anna/hub", exists=True, usable=True),
            damaged=("/Users/anna/model",),
        ),
    )

    assert redact(facts, ANNA) == Facts(
        system=facts.system,
        python=Python(version="3.12.1", executable="~/venv/bin/python"),
        packages={"anna": "USER"},
        hub_cache=HubCache(
            folder=Folder(path="~/hub", exists=True, usable=True),
            damaged=("~/model",),
        ),
    )
