"""Names of dropped files: which are prompts, which are ignored, and which are free."""

import os
import re
from fnmatch import translate
from pathlib import PurePath
from typing import Final

from mpsdoctor.files import folded, numbered

PROMPT_SUFFIX: Final = ".txt"
ERROR_SUFFIX: Final = ".error.txt"
_LONGEST_SUFFIX: Final = 16

# Hidden files, and the temporary names of editors, browsers and sync tools. In lower case, because
# names are compared without regard to case.
IGNORED: Final = (
    ".*",  # hidden; AppleDouble `._x.txt`, `.x.icloud`, LibreOffice `.~lock.x#`, Dropbox, gedit
    "*~",  # Emacs, vim and gedit backups
    "#*#",  # Emacs auto-save
    "*.sw[a-px]",  # vim's swap files
    "4913",  # vim's test for a writable folder
    "*.vsctmp",  # VS Code
    "*.sb-????????-??????",  # macOS safe save, TextEdit among others
    "(a document being saved by *",  # macOS safe save
    "~$*",  # Microsoft Office locks
    "~*.tmp",  # Microsoft Office
    "*.tmp",
    "*.lck",
    "*.crdownload",  # Chrome
    "*.download",  # Safari
    "*.part",  # Firefox
    "*.partial",
    "*.opdownload",  # Opera
    "dbtmp*",  # Dropbox
    "~syncthing~*",
    "*.!sync",  # Resilio
    "icon\r",  # Finder's icon of a folder
    "__macosx",  # in zip archives made on a Mac
    "@eadir",  # Synology
    "desktop.ini",
    "thumbs.db",
)
_ignored = re.compile("|".join(map(translate, IGNORED)))


def is_ignored(name: str) -> bool:
    """Whether a name in the inbox belongs to a program rather than to the user."""
    return _ignored.match(folded(name)) is not None


def is_prompt_name(name: str) -> bool:
    """Whether the name ends in `.txt`, in upper or lower case."""
    return folded(name).endswith(PROMPT_SUFFIX)


def readable(name: str) -> str:
    """The name as text for JSON: Linux allows bytes in names that are not UTF-8."""
    return os.fsencode(name).decode("utf-8", "replace")


def split(name: str) -> tuple[str, str]:
    """Stem and suffix; a suffix over 16 characters counts as part of the stem."""
    path = PurePath(name)
    if len(path.suffix) > _LONGEST_SUFFIX:
        return name, ""
    return path.stem, path.suffix


def title_of(name: str) -> str:
    """The name, without a suffix, of a dropped file's images and error file."""
    return split(name)[0] if is_prompt_name(name) else name


def error_name(name: str) -> str:
    """The name of the error file beside the failed file `name`."""
    return numbered(title_of(name), ERROR_SUFFIX, 1)
