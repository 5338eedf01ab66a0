"""`mpsdoctor pull`: real commands against a hub on loopback."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from mpsdoctor.cli.commands import pull
from mpsdoctor.facts.records import Facts
from mpsdoctor.hub.listing import Listing
from tests.support.hot_folder import wait_until
from tests.support.hub import Hub, Repository, etag, running
from tests.support.machines import MACHINES
from tests.support.pipelines import stable_diffusion

pytestmark = pytest.mark.heavy

MODEL = "org/tiny"
UNET = "unet/diffusion_pytorch_model.fp16.safetensors"
WANTED = {
    "model_index.json",
    "scheduler/scheduler_config.json",
    "text_encoder/config.json",
    "text_encoder/model.fp16.safetensors",
    "tokenizer/tokenizer.json",
    "tokenizer/tokenizer_config.json",
    "unet/config.json",
    UNET,
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
}
"""What a profile with the variant fp16 loads of a model whose VAE does not have it."""
CLUTTER = (
    "README.md",
    "tiny-single-file.safetensors",
    "tiny.ckpt",
    "unet/diffusion_pytorch_model.bin",
    "unet/diffusion_pytorch_model.fp16.bin",
    "unet/diffusion_pytorch_model.non_ema.safetensors",
    "unet/model.onnx",
    "text_encoder/flax_model.msgpack",
    "vae_1_0/diffusion_pytorch_model.safetensors",
    "safety_checker/model.safetensors",
)
BREAKS = (200_000, 300_000)
MAC = MACHINES / "m5-macos-27.0-torch-2.14.0.json"


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as it is published, with all that other programs want."""
    folder = tmp_path_factory.mktemp("published")
    pipe = stable_diffusion(folder / "tokenizer")
    pipe.save_pretrained(folder / "tiny")
    pipe.save_pretrained(folder / "tiny", variant="fp16")
    (folder / "tiny" / "vae" / "diffusion_pytorch_model.fp16.safetensors").unlink()
    for name in CLUTTER:
        (folder / "tiny" / name).parent.mkdir(exist_ok=True)
        (folder / "tiny" / name).write_bytes(os.urandom(5000))
    return folder / "tiny"


@pytest.fixture
def hub(model_folder: Path) -> Iterator[Hub]:
    with running() as hub:
        hub.add(MODEL, model_folder)
        yield hub


class User:
    """Somebody with an empty cache and a profile for the model; `home` is shared by all."""

    def __init__(self, hub: Hub, folder: Path, home: Path) -> None:
        self.folder = folder
        self.repository = folder / "hf" / "hub" / f"models--{MODEL.replace('/', '--')}"
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "HF_HOME": str(folder / "hf"),
            "HF_ENDPOINT": hub.url,
            "OMP_NUM_THREADS": "1",
            "MPSDOCTOR_PROFILE_FILE": str(folder / "profile.toml"),
        }
        settings = {"device": "cpu", "dtype": "float32", "variant": "fp16", "model": MODEL}
        lines = [f'{name} = "{value}"' for name, value in settings.items()]
        profile = "\n".join([*lines, "num_inference_steps = 1"])
        (folder / "profile.toml").write_text(profile, encoding="utf-8")

    def start(self, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
        """`mpsdoctor` with these arguments."""
        return subprocess.Popen(
            [sys.executable, "-m", "mpsdoctor", *arguments],
            cwd=self.folder,
            env=self.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Its exit status, and everything that it said."""
        with self.start(*arguments, **variables) as process:
            said, _ = process.communicate(timeout=240)
            return process.returncode, said

    def partial(self, content: bytes) -> Path:
        """What there is of a file that is being downloaded."""
        return self.repository / "blobs" / f"{etag(content)}.mpsdoctor.incomplete"

    def snapshot(self) -> dict[str, bytes]:
        """The model's files, as programs find them."""
        commit = (self.repository / "refs" / "main").read_text("utf-8")
        folder = self.repository / "snapshots" / commit
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where forecasts are kept, so that the model is traced once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def user(hub: Hub, home: Path, tmp_path: Path) -> User:
    return User(hub, tmp_path, home)


def test_what_the_profile_loads_is_downloaded_and_renders_offline(hub: Hub, user: User) -> None:
    """Nothing else is asked for; a dry run before changes nothing; a pull after finds all there."""
    code, said = user.run("pull", MODEL, "--dry-run")
    assert (0, False) == (code, (user.folder / "hf").exists())
    assert all(name in said for name in WANTED)

    hub.forget()
    code, said = user.run("pull", MODEL, HF_TOKEN="hf_secret")
    assert 0 == code, said
    assert WANTED == set(hub.sent) == set(user.snapshot())
    assert {"api", "hub"} == hub.trusted
    assert "variant fp16" in said
    assert "Largest of these that fits" in said

    hub.forget()
    code, said = user.run("render", "a star", "--seed", "1")
    assert 0 == code, said
    assert [] == hub.asked
    with Image.open(user.folder / "a-star.png") as image:
        assert "Model: tiny" in image.info["parameters"]

    hub.forget()
    code, said = user.run("pull", MODEL)
    assert (0, {"model_index.json"}) == (code, set(hub.sent)), said
    assert "Everything is here and verified." in said


OWN_CODE = """
import sys
from diffusers import DiffusionPipeline
for offline in (True, False):
    DiffusionPipeline.from_pretrained(
        sys.argv[1], variant="fp16", use_safetensors=True, local_files_only=offline
    )
"""


def test_the_users_own_code_finds_what_was_pulled(hub: Hub, user: User) -> None:
    """Diffusers takes it from the same cache; online it adds only what it never loads."""
    assert 0 == user.run("pull", MODEL)[0]
    hub.forget()

    subprocess.run(
        [sys.executable, "-c", OWN_CODE, MODEL],
        env=user.environ,
        capture_output=True,
        check=True,
    )

    assert {"vae_1_0", "safety_checker"} == {name.split("/")[0] for name in hub.sent}


def test_a_connection_that_breaks_is_taken_up_where_it_broke(hub: Hub, user: User) -> None:
    """Within one command; a hub in trouble for a moment is asked again, too."""
    hub.breaks[UNET] = list(BREAKS)
    hub.statuses[UNET] = [503]

    code, said = user.run("pull", MODEL)

    assert 0 == code, said
    unet = hub.repositories[MODEL].files[UNET]
    assert unet == user.snapshot()[UNET]
    assert len(unet) == hub.sent[UNET]
    assert ["", f"bytes={BREAKS[0]}-", f"bytes={sum(BREAKS)}-"] == hub.ranges(UNET)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)]
)
def test_a_download_that_was_ended_is_resumed_the_next_time(
    hub: Hub, user: User, number: signal.Signals, code: int
) -> None:
    """However it ended, and programs find nothing half; what had come is not sent again."""
    unet = hub.repositories[MODEL].files[UNET]
    partial = user.partial(unet)
    hub.slow = True
    with user.start("pull", MODEL) as process:
        wait_until(lambda: partial.exists() and partial.stat().st_size > len(unet) / 4)
        process.send_signal(number)
        said, _ = process.communicate(timeout=20)
    assert code == process.returncode
    assert ("The same command resumes the download." in said) == (number is signal.SIGINT)
    assert not (user.repository / "refs").exists()

    hub.slow = False
    hub.forget()
    here = partial.stat().st_size
    code, said = user.run("pull", MODEL)

    assert 0 == code, said
    assert len(unet) / 4 < here < len(unet)
    assert [f"bytes={here}-"] == hub.ranges(UNET)
    assert [] == hub.ranges("text_encoder/model.fp16.safetensors")
    assert unet == user.snapshot()[UNET]


def test_damaged_files_are_found_and_fetched_again(hub: Hub, user: User) -> None:
    """One with a changed byte, one whose content a cleaner removed; the others stay."""
    assert 0 == user.run("pull", MODEL)[0]
    files = hub.repositories[MODEL].files
    changed = user.repository / "blobs" / etag(files[UNET])
    changed.write_bytes(files[UNET][:-1] + b"?")
    (user.repository / "blobs" / etag(files["vae/config.json"])).unlink()
    hub.forget()

    code, said = user.run("pull", MODEL)

    assert 0 == code, said
    assert {UNET, "vae/config.json", "model_index.json"} == set(hub.sent)
    assert {name: files[name] for name in WANTED} == user.snapshot()


def test_a_newer_version_brings_only_what_changed(hub: Hub, user: User) -> None:
    """Until it is whole, programs load the old one."""
    assert 0 == user.run("pull", MODEL)[0]
    before = user.snapshot()
    files = hub.repositories[MODEL].files
    files["unet/config.json"] += b"\n"
    hub.statuses["unet/config.json"] = [403]
    hub.forget()

    assert 1 == user.run("pull", MODEL)[0]
    assert before == user.snapshot()

    assert 0 == user.run("pull", MODEL)[0]
    assert {name: files[name] for name in WANTED} == user.snapshot()
    assert {"unet/config.json", "model_index.json"} == set(hub.sent)


def only_pickles(repository: Repository) -> None:
    for name in [name for name in repository.files if name.endswith(".safetensors")]:
        del repository.files[name]


def refuses(*refusal: object) -> object:
    return lambda repository: setattr(repository, "refuse", refusal)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (refuses(401, "GatedRepo", ""), ["is gated", f"/{MODEL}", "hf auth login"]),
        (refuses(403, "GatedRepo", ""), ["is gated", "no access", "fine-grained token"]),
        (refuses(403, "", "Forbidden"), ["denies access", "hf auth whoami"]),
        (
            refuses(401, "", "Invalid credentials in Authorization header"),
            ["does not accept your token", "unset HF_TOKEN"],
        ),
        (refuses(429, "", ""), ["too many requests", "in 77 seconds"]),
        (refuses(500, "", ""), ["has a problem", "Try again later"]),
        (lambda it: it.files.pop("model_index.json"), ["not a Diffusers model", "single file"]),
        (only_pickles, ["only pickled weights", "unet", "use_safetensors = false"]),
        (
            lambda it: it.files.update({"unet/diffusers.py": b"import this"}),
            ["Python code from its repository", "unet"],
        ),
        (lambda it: it.claims.update({UNET: 10**18}), ["Not enough disk space", "hf cache ls"]),
        (
            lambda it: it.files.pop("unet/config.json"),
            ["is incomplete on the hub", "Still missing: unet/config.json"],
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) and value else "",
)
def test_what_stands_in_the_way_is_said_with_what_to_do(
    hub: Hub, user: User, spoil: object, says: list[str]
) -> None:
    """In words for the user, without a traceback, and with exit code 1."""
    assert callable(spoil)
    spoil(hub.repositories[MODEL])

    code, said = user.run("pull", MODEL)

    assert 1 == code, said
    assert "Traceback" not in said
    assert [] == [words for words in says if words not in said], said


@pytest.mark.parametrize(
    ("model", "variables", "says"),
    [
        ("nobody/none", {}, ["no model with the id nobody/none", "misspelled", "hf auth login"]),
        ("a/b--c", {}, ["a/b--c is not the id of a model", "ORGANIZATION/NAME"]),
        (MODEL, {"HF_HUB_OFFLINE": "1"}, ["HF_HUB_OFFLINE=1 forbids", "env -u HF_HUB_OFFLINE"]),
        (MODEL, {"HF_ENDPOINT": "http://127.0.0.1:9"}, ["cannot be reached", "from HF_ENDPOINT"]),
        (MODEL, {"HTTP_PROXY": "http://127.0.0.1:9"}, ["cannot be reached", "HTTP_PROXY"]),
        (MODEL, {"HF_ENDPOINT": "nonsense"}, ["nonsense cannot be reached"]),
    ],
)
def test_without_a_model_or_a_way_to_it_the_next_step_is_named(
    user: User, model: str, variables: dict[str, str], says: list[str]
) -> None:
    """At once: nothing is tried again that cannot help."""
    code, said = user.run("pull", model, **variables)

    assert 1 == code, said
    assert "Traceback" not in said
    assert [] == [words for words in says if words not in said], said


def test_a_network_that_asks_to_log_in_is_not_a_hub(hub: Hub, user: User) -> None:
    """As in a hotel: every address answers, with a page."""
    hub.portal = True

    code, said = user.run("pull", MODEL)

    assert 1 == code
    assert "does not answer as a Hugging Face hub does" in said
    assert "log in with a browser" in said


def test_a_plan_fetches_config_files_alone(hub: Hub, user: User) -> None:
    """Nothing of them enters the cache, where it would look like half a model."""
    code, said = user.run("plan", MODEL, "--size", "64x64", XDG_CACHE_HOME=str(user.folder / "own"))

    assert (0, True) == (code, "64×64" in said), said
    assert {name for name in hub.sent if not name.endswith(".json")} == set()
    assert not user.repository.exists()


@pytest.mark.parametrize("arguments", [("render", "a star"), ("check",)])
def test_other_commands_name_pull_and_download_nothing(
    hub: Hub, user: User, arguments: tuple[str, ...]
) -> None:
    """Rendering and checking do not so much as ask a hub."""
    said = user.run(*arguments)[1]

    assert f"mpsdoctor pull {MODEL}" in said
    assert [] == hub.asked


def test_the_daemon_names_pull_and_downloads_nothing(hub: Hub, user: User) -> None:
    """It waits for the model, with the prompt in its care, and never asks a hub."""
    (user.folder / "inbox").mkdir()
    (user.folder / "inbox" / "star.txt").write_text("a star", encoding="utf-8")

    with user.start("watch", "--dir", ".") as process:
        assert process.stdout
        said = next(line for line in process.stdout if "Paused" in line)
        process.terminate()
        process.communicate(timeout=30)

    assert f"mpsdoctor pull {MODEL}" in said
    assert process.returncode == 0
    assert [] == hub.asked


@pytest.mark.parametrize("model", ["shapes", "."])
def test_what_is_not_an_id_needs_no_download(user: User, model: str) -> None:
    """The embedded model, and folders."""
    code, said = user.run("pull", model)

    assert 0 == code
    assert "nothing to download" in said


@pytest.mark.parametrize(
    ("model", "pipeline", "settings", "expected"),
    [
        ("org/tiny", "StableDiffusionPipeline", "", ("float16", "fp16")),
        ("org/tiny", "FluxPipeline", "", ("bfloat16", None)),
        ("org/tiny", "StableDiffusionPipeline", 'variant = "ema"', ("float16", "fp16")),
        ("org/tiny", "StableDiffusionPipeline", 'device = "cpu"', ("float32", None)),
        ("org/tiny", "FluxPipeline", 'model = "org/tiny"\ndtype = "float32"', ("float32", None)),
    ],
)
def test_the_settings_are_those_that_check_would_write(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    pipeline: str,
    settings: str,
    expected: tuple[str, str | None],
) -> None:
    """For a model that the profile does not name, on a Mac; what the user set by hand stays where
    it is for that model, or for all of them."""
    mac = msgspec.json.decode(MAC.read_bytes(), type=Facts)
    monkeypatch.setattr("mpsdoctor.tuning.machine.collect", lambda **_: mac)
    path = tmp_path / "profile.toml"
    path.write_text(settings, encoding="utf-8")
    index = {"_class_name": pipeline}

    chosen = pull._settings_for(Listing(model=model, commit="", index=index, files=()), path)

    assert expected == (chosen.dtype, chosen.variant)
