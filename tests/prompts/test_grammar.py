"""Prompt files, as people write and paste them."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.document import read_prompt
from mpsdoctor.prompts.grammar import MAX_PICTURES, read_requests
from mpsdoctor.prompts.request import SEEDS, Request
from mpsdoctor.prompts.samplers import SAMPLERS, SCHEDULE_TYPES
from mpsdoctor.prompts.settings import MAX_COUNT, MAX_PROMPT

CIVITAI = (
    "lighthouse, rough sea\n"
    "Negative prompt: blurry, text\n"
    "Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 1234567, Size: 512x768, "
    "Clip skip: 2, Created Date: 2024-09-23T06:17:42.9952795Z, Civitai resources: "
    '[{"type":"checkpoint","modelVersionId":1,"modelName":"Sea [XL], v2"},'
    '{"type":"lora","weight":0.6,"modelVersionId":2}], Civitai metadata: {"remixOfId":3}'
)
WEBUI = (
    "lighthouse,\n\nrough sea\n"
    "Negative prompt: blurry,\ntext\n"
    "Steps: 30, Sampler: DPM++ 3M SDE, Schedule type: Karras, CFG scale: 5, Seed: 2480865251, "
    "Size: 1152x896, Model hash: c379d154eb, Model: seaside_v3, VAE hash: 63aeecb90f, VAE: a.pt, "
    'Denoising strength: 0.4, ADetailer model: face_yolov8n.pt, ADetailer prompt: "a face, ", '
    'ADetailer dilate/erode: 4, ControlNet 0: "Module: None, Model: None, Weight: 1", '
    "Hires upscale: 2, Hires upscaler: 4x-UltraSharp, dynthres_enabled: True, RNG: NV, "
    'Lora hashes: "sea: b46384abcc66, fog: cad8e9106645", Version: v1.10.1'
)
FORGE = (
    "lighthouse\nSteps: 20, Sampler: Euler, Schedule type: Simple, CFG scale: 1, "
    "Distilled CFG Scale: 3.5, Seed: 7, Size: 896x1152, Model: flux1-dev, "
    "Diffusion in Low Bits: Automatic, Module 1: ae, Version: f2.0.1v1.10.1-previous-669"
)
COMFYUI = (
    "lighthouse\nNegative prompt: \nSteps: 20, Sampler: dpmpp_2m_karras, CFG scale: 7.0, Seed: 7, "
    'Size: 512x512, Clip skip: 0, Model hash: abc, Model: sea, Hashes: {"model": "abc", '
    '"LORA:style, odd": "def"}, Version: ComfyUI'
)
SD_NEXT = (
    "lighthouse\nSteps: 20, Size: 512x512, Sampler: Euler a, Seed: 7, CFG scale: 6, "
    "App: SD.Next, Version: 0a1b2c, Operations: txt2img; hires, Pipeline: StableDiffusionPipeline"
)
BROKEN_OVER_LINES = (
    "lighthouse\nSteps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 7, Size: 768x512,\n"
    "Denoising strength: 0.7, ADetailer model: face_yolov8n.pt,\n"
    'Hires upscale: 2, TI hashes: "bad: d70463f87042",Version: v1.6.0'
)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("a red circle\n", Request(prompt="a red circle")),
        ("\n a red circle\r\non white\n\n", Request(prompt="a red circle\non white")),
        ("a\nnegative prompt: b\nc", Request(prompt="a", negative_prompt="b\nc")),
        ("a\nCount: 4", Request(prompt="a", count=4)),
        ("a\nsteps: 30, cfg SCALE: 0", Request(prompt="a", steps=30, cfg_scale=0)),
        (
            "a\nSteps: 30\nSize: 512 x 768\nSeed: -1\n",
            Request(prompt="a", steps=30, width=512, height=768),
        ),
        (
            "a\nSchedule type: karras, Sampler: k_euler_ancestral",
            Request(prompt="a", sampler="Euler a", schedule_type="Karras"),
        ),
        (
            "a\nSampler: DPM++ 2M Karras, Schedule type: Exponential",
            Request(prompt="a", sampler="DPM++ 2M", schedule_type="Exponential"),
        ),
        (
            "a\nSchedule type: Automatic, Model: org/name 1.0",
            Request(prompt="a", model="org/name 1.0"),
        ),
        (
            'ignored --x\nCount: 2, Prompt: "a\\nSteps: 3", Negative prompt: "--b"',
            Request(prompt="a\nSteps: 3", negative_prompt="--b", count=2),
        ),
        (
            CIVITAI,
            Request(
                prompt="lighthouse, rough sea",
                negative_prompt="blurry, text",
                steps=28,
                sampler="DPM++ 2M",
                schedule_type="Karras",
                cfg_scale=6.5,
                seed=1234567,
                width=512,
                height=768,
            ),
        ),
        (
            WEBUI,
            Request(
                prompt="lighthouse,\n\nrough sea",
                negative_prompt="blurry,\ntext",
                steps=30,
                sampler="DPM++ 3M SDE",
                schedule_type="Karras",
                cfg_scale=5,
                seed=2480865251,
                width=1152,
                height=896,
                model="seaside_v3",
            ),
        ),
        (
            FORGE,
            Request(
                prompt="lighthouse",
                steps=20,
                sampler="Euler",
                schedule_type="Simple",
                cfg_scale=1,
                distilled_cfg_scale=3.5,
                seed=7,
                width=896,
                height=1152,
                model="flux1-dev",
            ),
        ),
        (
            COMFYUI,
            Request(
                prompt="lighthouse",
                steps=20,
                sampler="DPM++ 2M",
                schedule_type="Karras",
                cfg_scale=7,
                seed=7,
                width=512,
                height=512,
                model="sea",
            ),
        ),
        (
            SD_NEXT,
            Request(
                prompt="lighthouse",
                steps=20,
                sampler="Euler a",
                cfg_scale=6,
                seed=7,
                width=512,
                height=512,
            ),
        ),
        (
            BROKEN_OVER_LINES,
            Request(
                prompt="lighthouse",
                steps=20,
                sampler="DPM++ 2M",
                schedule_type="Karras",
                cfg_scale=7,
                seed=7,
                width=768,
                height=512,
            ),
        ),
        ("a\nSteps: 8, Sampler: Undefined, Seed: 1", Request(prompt="a", steps=8, seed=1)),
    ],
)
def test_a_file_is_one_request(text: str, request_: Request) -> None:
    """A prompt alone, and infotext as web UIs and sharing sites write it, are read as meant."""
    [read] = read_requests(text)
    assert msgspec.structs.replace(read, notes=()) == request_


@pytest.mark.parametrize(
    "text",
    [
        "a\nstyle: noir, mood: dark, lens: 35mm",
        "Subject: a knight\nModel: a tall man\nLight: soft",
        "a -- b, c --- d\n---",
        "1: a cat, 2: a dog",
        "a street, size: huge",
        "a\nVersion: noir, VAE: none",
    ],
)
def test_other_words_stay_a_prompt(text: str) -> None:
    """Words with colons and dashes that name no setting are what the picture shows."""
    assert read_requests(text) == (Request(prompt=text),)


def test_a_file_with_options_is_a_request_a_line() -> None:
    """Options split as in a shell, prompts go on to the next one, other lines are prompts."""
    assert read_requests(
        '--prompt "a cat\'s \\"tail\\"" --steps 30 --sampler_name "DPM++ 2M Karras"\n\n'
        "a plain prompt: one, two\n"
        "--prompt two big dogs --negative_prompt a cat --n_iter 2 --batch_size 3 --seed -1\n"
        "--width 512 --height 768 --cfg_scale 4.5 --sd_model shapes --seed 7 --prompt dog"
    ) == (
        Request(prompt='a cat\'s "tail"', steps=30, sampler="DPM++ 2M", schedule_type="Karras"),
        Request(prompt="a plain prompt: one, two"),
        Request(prompt="two big dogs", negative_prompt="a cat", count=6),
        Request(prompt="dog", width=512, height=768, cfg_scale=4.5, model="shapes", seed=7),
    )


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a\nSteps: many", 2, "`Steps: 20`"),
        ("\n\na\nSize: 512", 4, "`Size: 512x768`"),
        ("a\nSize: 513x700", 2, "`Size: 512x704`"),
        ("a\nSize: 8x4096", 2, "`Size: 64x2048`"),
        ("a\nSteps: 0", 2, "`Steps: 1`"),
        ("a\nSteps: 20, CFG scale: 31", 2, "`CFG scale: 30`"),
        ("a\nCFG scale: nan", 2, "`CFG scale: 7.5`"),
        ("a\nSeed: 4294967296", 2, "`Seed: 4294967295`"),
        ("a\nSeed: ٣", 2, "whole number"),
        ("a\nCount: 65", 2, "`Count: 64`"),
        ("a\nSampler: Eulr a", 2, "Did you mean Euler a?"),
        ("a\nSampler: DPM++ 2S a", 2, "Did you mean DPM++ 2M?"),
        ("a\nSchedule type: Karas", 2, "Did you mean Karras?"),
        ("a\nSteps: 30, Stpes: 3", 2, "Did you mean Steps?"),
        ("a\nSteps: 30, masterpiece", 2, "whole number"),
        ("Steps: 30", 1, "no prompt"),
        ("a, Steps: 30, Sampler: Euler, CFG scale: 7", 1, "line of their own"),
        ("a, Steps: 30, Size: 512x512", 1, "line of their own"),
        ("a\nNegative prompt: Steps: 23, Sampler: Undefined, CFG scale: 3.5", 2, "of their own"),
        ("a\nSteps: 30\nb", 2, "the last one"),
        (f"{WEBUI}\n{WEBUI}", 6, "one a line"),
        ("a\nModel: ../b", 2, "path"),
        ("a\nModel: /b", 2, "path"),
        ("a\nModel: ~b", 2, "path"),
        ("a\nModel: C:\\b", 2, "path"),
        ("a\nModel: a/b/c", 2, "path"),
        ("a\nModel: a/..", 2, "path"),
        ('a\nModel: "a\\u0000"', 2, "name"),
        ('Count: 1, Prompt: "a\\u0000"', 1, "U+0000"),
        ('Count: 1, Prompt: "\\ud800"', 1, "U+D800"),
        ('Count: 1, Prompt: "a", Negative prompt: b', 1, "JSON string"),
        ("a cat --steps 30", 1, '`--prompt "a red circle" --steps 30`'),
        ("a\nb --ar 16:9", 2, "--ar"),
        ("--prompt a\n--prompt b --ar 16:9", 2, "--ar"),
        ("--prompt a --stps 3", 1, "Did you mean --steps?"),
        ("--prompt a --steps", 1, "one value"),
        ("--prompt a --steps 3 4", 1, "one value"),
        ("--prompt a --width 500", 1, "`--width 496`"),
        ("--prompt a\nb\n--steps 3", 3, "no prompt"),
        ("--prompt a\nb --steps 3", 2, "--steps"),
        ("--prompt a\nSteps: 3", 2, "settings"),
        ("--prompt a\n\n--prompt \"b", 3, "left open"),
        ("--prompt a --outpath_samples /tmp", 1, "folder"),
        ("--prompt a --outpath_grids ..", 1, "folder"),
        ("--prompt a --n_iter 64 --batch_size 2", 1, "64"),
        ("—prompt a", 1, "Smart Dashes"),
        ("--prompt “a b” --steps 3", 1, "Smart Quotes"),
    ],
)  # fmt: skip
def test_what_does_not_parse_is_an_error_of_its_line(text: str, line: int, words: str) -> None:
    """Nothing that looks like a setting is rendered as words: the line and the fix are named."""
    with pytest.raises(MpsDoctorError) as refused:
        read_requests(text)
    assert refused.value.title == f"Line {line} cannot be read"
    assert words in str(refused.value)
    assert refused.value.hint


def test_what_has_no_effect_is_noted() -> None:
    """The user is told what of a paste is left out; nothing is said of what mpsdoctor writes."""
    [request] = read_requests(CIVITAI)
    [note] = request.notes
    assert note.startswith("Clip skip: 2, Created Date: 2024")
    assert note.endswith('Civitai metadata: {"remixOfId":3} have no effect here')
    [request] = read_requests("--prompt a --tiling true")
    assert request.notes == ("--tiling true has no effect here",)
    [request] = read_requests("a\nSteps: 3, RNG: CPU, Version: mpsdoctor 0.1.0")
    assert request.notes == ()


def test_a_file_asks_for_a_thousand_pictures_at_most() -> None:
    """A thousand lines are read, one more picture is refused."""
    assert len(read_requests("--prompt a --seed 1\n" * MAX_PICTURES)) == MAX_PICTURES
    with pytest.raises(MpsDoctorError, match="1,001 pictures"):
        read_requests("--prompt a\n" * (MAX_PICTURES - 1) + "--prompt a --n_iter 2")


WORDS = st.sampled_from(
    [
        *("a cat", "Steps: ", "Size: ", "512x512", "Seed: -1", "Sampler: Euler a", "Model: "),
        *("../x", ", ", "Negative prompt: ", "Prompt: ", '"', "\\", "\n", "\r\n", "--prompt "),
        *("--steps ", "--outpath_grids ", "[", "}", "7", "Count: 9", " ", "“", "—prompt", ": "),
        *("CFG scale: 1e400", "\x00", "'", "\ud800", "\\u0000"),
    ]
)
TEXTS = st.lists(WORDS | st.text(max_size=5), max_size=12).map("".join)


def require_legal(request: Request) -> None:
    """A prompt, numbers within their limits, known names, and no path."""
    assert request.prompt.strip()
    for text in (request.prompt, request.negative_prompt, *request.notes):
        assert len(text) <= MAX_PROMPT
        assert "\0" not in text
        text.encode()
    assert request.steps is None or 1 <= request.steps <= 150
    assert request.cfg_scale is None or 0 <= request.cfg_scale <= 30
    assert request.seed is None or 0 <= request.seed < SEEDS
    assert 1 <= request.count <= MAX_COUNT
    for side in (request.width, request.height):
        assert side is None or (64 <= side <= 2048 and side % 8 == 0)
    assert request.sampler in (None, *SAMPLERS)
    assert request.schedule_type in (None, *SCHEDULE_TYPES)
    if request.model is not None:
        assert request.model.count("/") <= 1
        assert ".." not in request.model.split("/")
        assert not request.model.startswith(("/", "~", "."))
        assert "\\" not in request.model


@given(st.binary(max_size=200) | TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"a\nSteps: " + b"9" * 5000)
@example(b"a\nSteps: 1, x: " + b"[" * 5000)
@example(b'a\nSteps: 1, x: "' + b'\\"' * 50000)
@example(b"a\nModel: " + b"/" * 50000)
@example(b"--prompt a --" + b"x" * 100000)
@example(b"Steps: 1\n" * 5000)
@example(b"a\nSteps: 1" + b", ab: c" * 20000)
def test_any_bytes_are_legal_requests_or_refused(data: bytes) -> None:
    """Whatever a file holds, it asks for what may be asked, or the user is told why not."""
    try:
        requests = read_requests(read_prompt(data))
    except MpsDoctorError:
        return
    assert requests
    assert sum(request.count for request in requests) <= MAX_PICTURES
    for request in requests:
        require_legal(request)
