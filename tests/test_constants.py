"""What other programs, and files on users' disks, rely on."""

from mpsdoctor import constants


def test_the_forms_of_files_and_answers_are_those_of_the_first_release() -> None:
    """Another number means that what was written before can no longer be read."""
    schemas = {name: value for name, value in vars(constants).items() if name.endswith("_SCHEMA")}

    assert schemas == dict.fromkeys(
        (
            "FACTS_SCHEMA",
            "PROFILE_SCHEMA",
            "REPORT_SCHEMA",
            "UNDO_SCHEMA",
            "PLAN_SCHEMA",
            "STATUS_SCHEMA",
        ),
        1,
    )
    assert (constants.EMBEDDED_MODEL, constants.ENV_PREFIX) == ("shapes", "MPSDOCTOR_")
