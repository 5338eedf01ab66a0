"""Prompt files, as people write and paste them."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.prompts.document import read_prompt
from mpsdoctor.prompts.grammar import MAX_PICTURES, read_requests
from mpsdoctor.prompts.option_names import COUNTS, OPTIONS, TEXTS
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
OF_COMFYUI_BY_CIVITAI = (
    "lighthouse\nSteps: 25, CFG scale: 7, Sampler: Euler a, Seed: 123, width: 832, height: 1216, "
    "Clip skip: 2"
)
DRAW_THINGS = (
    "lighthouse\n- on a rock\n-blurry, text\n\nugly\nSteps: 8, Sampler: UniPC Trailing, "
    "Guidance Scale: 1.5, Seed: 7, Size: 512x768, Strength: 1.0, Seed Mode: Scale Alike, Shift: 3.0"
)


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("a red circle\n", Request(prompt="a red circle")),
        ("\n a red circle\r\non white\n\n", Request(prompt="a red circle\non white")),
        ("a\nnegative prompt: b\nc", Request(prompt="a", negative_prompt="b\nc")),
        ("a\nNegative\u00a0prompt : b", Request(prompt="a", negative_prompt="b")),
        ("a\nnegative_prompt: b\nc", Request(prompt="a", negative_prompt="b\nc")),
        ("a\nCount: 4", Request(prompt="a", count=4)),
        ("a\nSteps: 5, Guidance scale: 3, Cfg_Scale: 3", Request(prompt="a", steps=5, cfg_scale=3)),
        (
            "a\nSteps:\u00a05, CFG\u00a0 scale: 7, Size: 512\u00a0x\u00a0768",
            Request(prompt="a", steps=5, cfg_scale=7, width=512, height=768),
        ),
        (
            "a\n\nNegative prompt: b\n\nSteps: 5\n\n \nClip skip: 2\n\nSeed: 7",
            Request(prompt="a", negative_prompt="b", steps=5, seed=7),
        ),
        (
            "a\nWidth: 512\nHeight: 768\nSteps: 5",
            Request(prompt="a", width=512, height=768, steps=5),
        ),
        ("a\nWidth: 512", Request(prompt="a", width=512)),
        ("a\nHeight: tall\nSteps: 5", Request(prompt="a\nHeight: tall", steps=5)),
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
            OF_COMFYUI_BY_CIVITAI,
            Request(
                prompt="lighthouse",
                steps=25,
                cfg_scale=7,
                sampler="Euler a",
                seed=123,
                width=832,
                height=1216,
            ),
        ),
        (
            DRAW_THINGS,
            Request(
                prompt="lighthouse\n- on a rock",
                negative_prompt="blurry, text\n\nugly",
                steps=8,
                sampler="UniPC",
                schedule_type="SGM Uniform",
                cfg_scale=1.5,
                seed=7,
                width=512,
                height=768,
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
        "a\n-b\n- c",
        "a -- b",
        "a --> b\n-->",
        "color: red; size: 12px",
        ".a {\n  width: 512px;\n  height: 300px;\n}",
        '<div style="width: 100px; height: 200px">a</div>',
        "<img width=512 height=768 seed=5>\n<!-- a -->",
        '{\n  "steps": 20,\n  "negative_prompt": "b",\n  "seed": 5\n}',
        '{"prompt": "a", "negative prompt": "b", "steps": 20, "seed": 5, "size": 3}',
        "(x:1.3), (size:1.2), [steps:0.5], <seed:1>\n(seed:1.2), (negative prompt:1.1)",
        "ANNA: where is it?\nBOB: Seed: 5?\n— seed packets, she said — steps away",
        "a tower — height 30 m —prompted by “nothing”, «oui»",
        "a knight\nHeight: 180 cm",
        "a knight\nWidth: 2 m, Height: 5'7",
        "a temple with steps: 100 of them",
        "https://example.org/?seed=5&steps=20",
        "🎨 a 🐱 cat 👩\u200d🚀: red",
        "\u200fقطة حمراء: على خلفية",
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
        ("a\nSeed: 4294967296", 2, "Leave `Seed` out"),
        ("--prompt a --seed 156680208700286", 1, "Leave `--seed` out"),
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
        ("a\nSteps: 30\nb", 3, "'b' stands below the settings of line 2"),
        (f"{WEBUI}\n{WEBUI}", 7, "one a line"),
        ("a\nSteps: 20\nSampler: Euler\n\nSent from my iPhone", 5, "settings of line 2"),
        ("```\na\nSteps: 20\n```", 4, "settings of line 3"),
        ("a\nSteps: 20, Seed: 1\nTime taken: 3 s", 3, "settings of line 2"),
        ("a\nSteps: 20\nNegative prompt: b", 3, "settings of line 2"),
        ("a\nSteps: 20, Model:\nshapes", 3, "broke it off"),
        ("a\nSteps: 20\n\u200bSeed: 5", 3, "cannot be seen"),
        ("a\nSteps: 20\nCFG: 7", 3, "`Steps: 30, CFG scale: 7`"),
        ("a\nSteps: 30, CFG: 7", 2, "Did you mean CFG scale?"),
        ("a\nSteps: 30, GUIDANCE: 7", 2, "Did you mean Guidance scale?"),
        ("a\nSteps: 30, Batch_Count: 7", 2, "Did you mean Count?"),
        ("a\nSteps: 30, Images: 4", 2, "There are: Steps, "),
        ("a\nSteps: 30, Steps: 31", 2, "says otherwise"),
        ("a\nSize: 512x512\nwidth: 768", 3, "says otherwise"),
        ("a\nWidth: 512px", 2, "whole number"),
        ("a\nb on a mat Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 7", 2, "b on a mat"),
        ("a\nNegative prompt: b,\nc Steps: 20, Sampler: Euler, Seed: 7", 3, "own"),
        ("a\nNegative prompt: b,\nc Steps: 2, Size: 64x64, Seed: 7, CFG scale: 1", 3, "'c Steps"),
        ("a\nb Negative prompt: c Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 7", 2, "own"),
        ("a Negative prompt: b", 1, "own"),
        ("\n\n\nNegative prompt: b", 4, "no prompt"),
        ("\nNegative prompt: b\n\nPrompt: a\nSteps: 20", 2, "belongs to that"),
        (f"\n{'a' * (MAX_PROMPT + 1)}\nb\nSteps: 5", 2, "The prompt has 20,003"),
        (f"a\n\nNegative prompt: {'b' * (MAX_PROMPT + 1)}\nSteps: 5", 3, "negative prompt has"),
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
        ("a —steps 20 —seed 5", 1, "Smart Dashes"),
        ("--prompt “a b” --steps 3", 1, "Smart Quotes"),
        ('--prompt “a b” --negative_prompt "c"', 1, "Smart Quotes"),
        ("--prompt «a b» --steps 3", 1, "Smart Quotes"),
        ("--prompt a\n- Seed: 5", 2, "settings"),
        ("--prompt a\nNegative prompt : b", 2, "settings"),
    ],
)  # fmt: skip
def test_what_does_not_parse_is_an_error_of_its_line(text: str, line: int, words: str) -> None:
    """Nothing that looks like a setting is rendered as words: the line and the fix are named."""
    with pytest.raises(MpsDoctorError) as refused:
        read_requests(text)
    assert refused.value.title == f"Line {line} cannot be read"
    assert words in str(refused.value)
    assert refused.value.hint


DRESSES = (
    "**{key}:** {value}",
    "**{key}**: {value}",
    "- {key}: {value}",
    "• {key}: {value}",
    "> {key}: {value}",
    "🚫 {key}: {value}",
    "\u200f{key}: {value}",
    "\u200b{key}: {value}",
    "\ufeff{key}: {value}",
    "{key}：{value}",
    "{key} = {value}",
    "b\u2028{key}: {value}",
    "b\x0b{key}: {value}",
    "b\u2028- **{key}** : {value}",
)


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Negative prompt", "blurry"),
        ("negative_prompt", "blurry"),
        ("Negative prompts", "blurry"),
        ("Steps", "20"),
        ("CFG", "7"),
        ("cfg_scale", "7"),
        ("Guidance scale", "7"),
        ("Seed", "-1"),
        ("Size", "512x512"),
        ("Width", "512"),
        ("Height", "768px"),
        ("Count", "2"),
    ],
)
@pytest.mark.parametrize("below", ["", "\nc", "\nSeed: 5"])
def test_a_dressed_up_setting_is_not_rendered_as_words(
    key: str, value: str, dress: str, below: str
) -> None:
    """Chats, mails and other alphabets put marks around a key; the error says how it is written."""
    with pytest.raises(MpsDoctorError) as refused:
        read_requests("a\n" + dress.format(key=key, value=value) + below)
    assert refused.value.title == "Line 2 cannot be read"
    assert "nothing before" in refused.value.hint


@pytest.mark.parametrize("dash", ["–", "—"])
@pytest.mark.parametrize("option", [*TEXTS, *OPTIONS, *COUNTS])
@pytest.mark.parametrize("before", ["", "a ", '--prompt "a" '])
def test_hyphens_that_became_a_dash_are_noticed_anywhere(
    before: str, option: str, dash: str
) -> None:
    """In a prompt, in a line of options, and at the beginning of either."""
    with pytest.raises(MpsDoctorError, match="Line 2 cannot be read") as refused:
        read_requests(f"a\n{before}{option.replace('--', dash)} 7")
    assert "Smart Dashes" in refused.value.hint


@pytest.mark.parametrize(
    "text",
    [
        *("a\nModel: b, lens: 35mm", "a\nSize: huge, mood: dark", "a\nSteps: 30, Images: 4"),
        *("a\nSeed: 5, mood: dark", "a\nCount: many, odd: 1", "a\nSteps: 30, lens: 35mm"),
    ],
)
def test_the_advice_to_add_a_line_of_settings_helps_where_it_is_given(text: str) -> None:
    """Done as told, the file is read, with the line as prompt; elsewhere it is not advised."""
    with pytest.raises(MpsDoctorError) as refused:
        read_requests(text)
    try:
        read: tuple[Request, ...] = read_requests(f"{text}\nCount: 1")
    except MpsDoctorError:
        read = ()
    assert read == ((Request(prompt=text),) if "`Count: 1`" in refused.value.hint else ())


def test_what_has_no_effect_is_noted() -> None:
    """The user is told what of a paste is left out; nothing is said of what mpsdoctor writes."""
    [request] = read_requests(CIVITAI)
    [note] = request.notes
    assert note.startswith("Clip skip: 2, Created Date: 2024")
    assert note.endswith('Civitai metadata: {"remixOfId":3} have no effect here')
    [request] = read_requests(DRAW_THINGS)
    [note] = request.notes
    assert note == "Strength: 1.0, Seed Mode: Scale Alike, Shift: 3.0 have no effect here"
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
        *("CFG scale: 1e400", "\x00", "'", "\ud800", "\\u0000", '"\\ud800"', "Width: ", "- "),
        *("Seed Mode: ", "\n-", "\u2028", "：", "**", "VAE: ", " —steps ", "negative_prompts"),
    ]
)
FILES = st.lists(WORDS | st.text(max_size=5), max_size=12).map("".join)


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


@given(st.binary(max_size=200) | FILES.map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"a\nSteps: " + b"9" * 5000)
@example(b"a\nSteps: 1, x: " + b"[" * 5000)
@example(b'a\nSteps: 1, x: "' + b'\\"' * 50000)
@example(b"a\nModel: " + b"/" * 50000)
@example(b"--prompt a --" + b"x" * 100000)
@example(b"Steps: 1\n" * 5000)
@example(b"a\nSteps: 1" + b", ab: c" * 20000)
@example(b'a\nSteps: 1, Clip skip: "\\ud800"')
@example("\u2028".encode() * 100000)
@example(b"steps" + b"*" * 100000 + b"\xc2\xa0" * 100000)
@example(b"negative" + b" " * 100000 + b"prompt" + b"-" * 100000)
@example("—steps".encode() + b" " * 100000)
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
