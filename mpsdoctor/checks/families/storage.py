"""MPS5xx: free space, the Hugging Face cache and the hot folder.

Only a full disk keeps a machine from rendering: without these facts a check is not recorded.
"""

import shlex

from mpsdoctor.checks.families import needs
from mpsdoctor.checks.report import Finding, Fix, FixKind, NoAnswerError, Remedy, Severity, Status
from mpsdoctor.facts.records import Facts, Folder, HotFolder, HubCache, ModelState, Place, Volume
from mpsdoctor.units import GB, gb

# A picture of 1024×1024 is 2 MB; macOS itself misbehaves when its disk is nearly full.
_FULL, _IMAGES = 0.2 * GB, 2 * GB
# For a model whose size is not known; SDXL in float16 is 7 GB.
_MODEL = 10 * GB
_PROTECTED = "Background programs may not use it until you allow it, folder by folder."
_PRIVACY = "EPERM"  # the error of Transparency, Consent and Control
_WHY_NOT = {
    Place.USER_FOLDER: f"{_PROTECTED} Documents and Desktop may also be in iCloud.",
    Place.CLOUD: "Its files can be placeholders that are not on this Mac, and can appear or vanish "
    f"while they are in use. {_PROTECTED}",
    Place.NETWORK: "It disappears with the network, moving files there is not safe, and there are "
    f"no events for new files. {_PROTECTED}",
    Place.EXTERNAL: f"It disappears when the disk is ejected. {_PROTECTED}",
}


def space_for_images(facts: Facts) -> Finding | None:
    """Only space that is free now counts: macOS may not clear purgeable space in time."""
    folder = _hot_folder(facts).folder
    free = _free_bytes(folder)
    if free >= _IMAGES:
        return None
    full = free < _FULL
    return Finding(
        severity=Severity.ERROR if full else Severity.WARNING,
        observed=f"{_space(folder.volume)} for pictures, at {folder.path}.",
        expected=f"{gb(_IMAGES)} or more",
        impact="Pictures cannot be saved." if full else "Soon pictures cannot be saved.",
        remedy=_clear_up("Empty the Trash, or move files away."),
    )


def space_for_models(facts: Facts) -> Finding | None:
    """A download needs space; macOS clears purgeable space for it."""
    if _is_here(facts):
        return None
    folder = _hub_cache(facts).folder
    named = facts.model_files
    known = needs.download_bytes(named) if named else None
    needed = known or _MODEL
    if _free_bytes(folder) >= needed:
        return None
    clearable = (folder.volume.available_bytes or 0) >= needed
    return Finding(
        severity=Severity.NOTE if clearable else Severity.WARNING,
        observed=f"{_space(folder.volume)} for models, at {folder.path}.",
        expected=f"{gb(needed)} or more"
        + (f" for {named.model}" if named and known else "; SDXL is 7 GB, FLUX.1 34 GB"),
        impact="macOS has to clear space during a download, which can fail."
        if clearable
        else "A download runs out of space.",
        remedy=_clear_up(
            "See which models use the space, and remove those that you no longer use:",
            "hf cache ls",
        ),
    )


def cache_location(facts: Facts) -> Finding | None:
    """Weights are mapped into memory while they load, which fails on slow or removable disks."""
    folder = _hub_cache(facts).folder
    if not folder.usable:
        return _unusable(folder, "Models can be neither found nor downloaded.")
    if folder.place is not Place.ORDINARY and facts.is_mac:
        return Finding(
            severity=Severity.NOTE if folder.place is Place.EXTERNAL else Severity.WARNING,
            observed=f"The Hugging Face cache {folder.path} is in: {folder.place.value}.",
            expected="a folder on the Mac's own disk, such as ~/.cache/huggingface",
            impact=_WHY_NOT[folder.place],
            remedy=Remedy(
                text="Move it, or unset the variable that points there (HF_HOME or HF_HUB_CACHE)."
            ),
        )
    return _ignored_variable(facts, folder)


def cache_health(facts: Facts) -> Finding | None:
    """A model with a link to a missing file looks complete, but fails to load."""
    cache = _hub_cache(facts)
    if not (cache.damaged or cache.unfinished):
        if cache.folder.exists and not cache.folder.usable:
            raise NoAnswerError("the cache cannot be listed", Status.NOT_RECORDED)
        return None
    unfinished = (
        f"{cache.unfinished} unfinished downloads use {gb(cache.unfinished_bytes)}"
        if cache.unfinished
        else ""
    )
    damaged = f"files are missing in {', '.join(cache.damaged)}" if cache.damaged else ""
    return Finding(
        severity=Severity.WARNING if damaged else Severity.NOTE,
        observed=f"In {cache.folder.path}: {' and '.join(filter(None, (damaged, unfinished)))}.",
        expected="complete models",
        impact="mpsdoctor cannot load them. Your own code downloads the missing files, or fails."
        if damaged
        else "They use space. A download that is running now does not count.",
        remedy=Remedy(
            text="Download damaged models again. Delete partial downloads while no download is "
            "running:",
            commands=(
                *(shlex.join(("mpsdoctor", "pull", model)) for model in cache.damaged),
                *(("hf cache prune",) if cache.unfinished else ()),
            ),
        ),
    )


def hot_folder_usable(facts: Facts) -> Finding | None:
    """The daemon lists it, and creates, moves and removes files in it."""
    folder = _hot_folder(facts).folder
    if not folder.usable:
        return _unusable(folder, "mpsdoctor watch cannot work.")
    if folder.exists or (facts.is_mac and folder.place is not Place.ORDINARY):
        return None
    return Finding(
        severity=Severity.NOTE,
        observed=f"The hot folder {folder.path} does not exist yet.",
        expected="a folder with an inbox for prompts",
        impact="You cannot drop prompts yet. When mpsdoctor watch starts, it creates the folder.",
        remedy=Remedy(
            text="Start mpsdoctor watch, or create the folder now.",
            fix=Fix(kind=FixKind.HOT_FOLDER),
        ),
    )


def hot_folder_volume(facts: Facts) -> Finding | None:
    """A rename is atomic within one volume only (rename(2): EXDEV)."""
    hot_folder = _hot_folder(facts)
    if hot_folder.one_volume is None and not hot_folder.folder.usable:
        raise NoAnswerError("the hot folder cannot be listed", Status.NOT_RECORDED)
    if hot_folder.one_volume is not False:
        return None
    return Finding(
        severity=Severity.WARNING,
        observed=f"The folders in {hot_folder.folder.path} are on different volumes.",
        expected="one volume",
        impact="mpsdoctor watch refuses to start: moving a file is only safe within one volume.",
        remedy=Remedy(text="Replace links and mount points in it with real folders."),
    )


def hot_folder_privacy(facts: Facts) -> Finding | None:
    """Transparency, Consent and Control asks for each program; a background one gets no answer."""
    return _badly_placed(facts, Place.USER_FOLDER, Place.EXTERNAL)


def hot_folder_remote(facts: Facts) -> Finding | None:
    """Only a local disk promises file events, atomic renames and complete files."""
    return _badly_placed(facts, Place.CLOUD, Place.NETWORK)


def _badly_placed(facts: Facts, *places: Place) -> Finding | None:
    folder = _hot_folder(facts).folder
    if not facts.is_mac or folder.place not in places:
        return None
    return Finding(
        severity=Severity.WARNING,
        observed=f"The hot folder {folder.path} is in: {folder.place.value}.",
        expected="a folder on the Mac's own disk, such as ~/mpsdoctor",
        impact=_WHY_NOT[folder.place],
        remedy=Remedy(
            text="Choose another one with hot_folder in the profile, and put a link to it wherever "
            "you like. Or allow the Python that runs mpsdoctor in System Settings > Privacy & "
            "Security > Full Disk Access."
        ),
    )


def _unusable(folder: Folder, impact: str) -> Finding:
    protected = " (macOS protects it)" if folder.error == _PRIVACY else ""
    return Finding(
        severity=Severity.WARNING,
        observed=f"{folder.path} cannot be {'used' if folder.exists else 'created'}: {folder.error}"
        f"{protected}.",
        expected="a folder that can be listed and written",
        impact=impact,
        remedy=_make_usable(folder),
    )


def _make_usable(folder: Folder) -> Remedy:
    if folder.path.startswith("~"):
        return Remedy(text="Set the environment variable HOME.")
    if folder.error == _PRIVACY:
        return Remedy(
            text="Allow your terminal in System Settings > Privacy & Security > Files and Folders, "
            "or choose another folder."
        )
    what = folder.nearest or "it"
    return Remedy(
        text=f"Make {what} yours, or choose another folder. This shows who owns it:",
        commands=(shlex.join(("ls", "-lde", folder.nearest or folder.path)),),
    )


def _ignored_variable(facts: Facts, cache: Folder) -> Finding | None:
    """Nothing reads `TRANSFORMERS_CACHE`, and `HF_HUB_CACHE` overrides `HUGGINGFACE_HUB_CACHE`."""
    if facts.environment is None:
        raise NoAnswerError("which variables are set is not known", Status.NOT_RECORDED)
    values = facts.environment.variables
    ignored = [name for name in ("TRANSFORMERS_CACHE",) if name in values]
    ruling = values.get("HF_HUB_CACHE")
    if ruling is not None and values.get("HUGGINGFACE_HUB_CACHE", ruling) != ruling:
        ignored.append("HUGGINGFACE_HUB_CACHE")
    if not ignored:
        return None
    return Finding(
        severity=Severity.NOTE,
        observed=f"Current releases ignore a variable that is set: {' and '.join(ignored)}.",
        expected="HF_HOME, or HF_HUB_CACHE, or neither",
        impact=f"Models in that folder are not found, and are downloaded again to {cache.path}.",
        remedy=Remedy(
            text="Set HF_HUB_CACHE to that folder instead, and remove:",
            commands=(f"unset {' '.join(ignored)}",),
        ),
    )


def _hot_folder(facts: Facts) -> HotFolder:
    if facts.hot_folder is None:
        raise NoAnswerError("the hot folder was not examined", Status.NOT_RECORDED)
    return facts.hot_folder


def _hub_cache(facts: Facts) -> HubCache:
    if facts.hub_cache is None:
        raise NoAnswerError("the Hugging Face cache was not examined", Status.NOT_RECORDED)
    return facts.hub_cache


def _free_bytes(folder: Folder) -> int:
    if folder.volume.free_bytes is None:
        raise NoAnswerError("the free space is not known", Status.NOT_RECORDED)
    return folder.volume.free_bytes


def _is_here(facts: Facts) -> bool:
    return facts.model_files is not None and facts.model_files.state in (
        ModelState.COMPLETE,
        ModelState.PICKLED,
    )


def _space(volume: Volume) -> str:
    free = volume.free_bytes or 0
    purgeable = (volume.available_bytes or 0) - free
    more = f", and {gb(purgeable)} that macOS can clear," if purgeable > 0 else ""
    return f"{gb(free)} free{more}"


def _clear_up(text: str, *commands: str) -> Remedy:
    return Remedy(text=text, commands=commands)
