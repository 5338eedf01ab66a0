"""Files that ship."""

from pathlib import Path

import pytest

from mpsdoctor import resources
from mpsdoctor.resources import embedded_model, is_embedded, knowledge, shipped

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("folder", ["profiles", "launchd", "docs/checks"])
def test_a_folder_is_found_in_a_checkout_and_in_a_wheel(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wheel has it inside the package, and that one counts."""
    assert ROOT / folder == shipped(folder)

    monkeypatch.setattr(resources, "PACKAGE", tmp_path / "mpsdoctor")
    assert tmp_path / folder == shipped(folder)
    inside = tmp_path / "mpsdoctor" / "shipped" / folder
    inside.mkdir(parents=True)
    assert inside == shipped(folder)


def test_tables_and_the_embedded_model_are_in_the_package() -> None:
    """The model has two names: `shapes`, and its folder."""
    assert knowledge("faults.toml").is_file()
    assert (embedded_model() / "model_index.json").is_file()
    assert [True, True, True, False, False] == [
        is_embedded(source)
        for source in ("shapes", embedded_model(), str(embedded_model()), "./other", ROOT)
    ]
