"""Prompt files, as people write and paste them."""

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
from tests.support.refusals import read_refusals, refusal

CIVITAI = (
    "lighthouse, rough sea\n"
    "Negative prompt: blurry, text\n"
    "Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 1234567, Size: 512x768, "
    "Clip skip: 2, Created Date: 2024-09-23T06:17:42.9952795Z, Civitai resources: "
    '[{"type":"checkpoint","modelVersionId":1,"modelName":"Sea [XL], v2"},'
    '{"type":"lora","weight":0.6,"modelVersionId":2}], Civitai metadata: {"remixOfId":3}'
)
NOTES_CIVITAI = (
    "Clip skip: 2, Created Date: 2024-09-23T06:17:42.9952795Z, Civitai resources: "
    '[{"type":"checkpoint","modelVersionId":…, Civitai metadata: {"remixOfId":3} have no '
    "effect here",
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
NOTES_WEBUI = (
    "Model hash: c379d154eb, VAE hash: 63aeecb90f, VAE: a.pt, Denoising strength: 0.4, "
    "ADetailer model: face_yolov8n.pt, ADetailer prompt: a face,, ADetailer dilate/erode: 4, "
    "ControlNet 0: Module: None, Model: None, Weight: 1, Hires upscale: 2, Hires upscaler: "
    "4x-UltraSharp, dynthres_enabled: True, RNG:… have no effect here",
)
FORGE = (
    "lighthouse\nSteps: 20, Sampler: Euler, Schedule type: Simple, CFG scale: 1, "
    "Distilled CFG Scale: 3.5, Seed: 7, Size: 896x1152, Model: flux1-dev, "
    "Diffusion in Low Bits: Automatic, Module 1: ae, Version: f2.0.1v1.10.1-previous-669"
)
NOTES_FORGE = (
    "Diffusion in Low Bits: Automatic, Module 1: ae, Version: f2.0.1v1.10.1-previous-669 "
    "have no effect here",
)
COMFYUI = (
    "lighthouse\nNegative prompt: \nSteps: 20, Sampler: dpmpp_2m_karras, CFG scale: 7.0, Seed: 7, "
    'Size: 512x512, Clip skip: 0, Model hash: abc, Model: sea, Hashes: {"model": "abc", '
    '"LORA:style, odd": "def"}, Version: ComfyUI'
)
NOTES_COMFYUI = (
    'Clip skip: 0, Model hash: abc, Hashes: {"model": "abc", "LORA:style, odd": "de…, '
    "Version: ComfyUI have no effect here",
)
SD_NEXT = (
    "lighthouse\nSteps: 20, Size: 512x512, Sampler: Euler a, Seed: 7, CFG scale: 6, "
    "App: SD.Next, Version: 0a1b2c, Operations: txt2img; hires, Pipeline: StableDiffusionPipeline"
)
NOTES_SD_NEXT = (
    "App: SD.Next, Version: 0a1b2c, Operations: txt2img; hires, Pipeline: "
    "StableDiffusionPipeline have no effect here",
)
BROKEN_OVER_LINES = (
    "lighthouse\nSteps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 7, Size: 768x512,\n"
    "Denoising strength: 0.7, ADetailer model: face_yolov8n.pt,\n"
    'Hires upscale: 2, TI hashes: "bad: d70463f87042",Version: v1.6.0'
)
NOTES_BROKEN_OVER_LINES = (
    "Denoising strength: 0.7, ADetailer model: face_yolov8n.pt, Hires upscale: 2, TI hashes: "
    "bad: d70463f87042, Version: v1.6.0 have no effect here",
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
            Request(
                prompt="a",
                negative_prompt="b",
                steps=5,
                seed=7,
                notes=("Clip skip: 2 has no effect here",),
            ),
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
                notes=NOTES_CIVITAI,
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
                notes=NOTES_WEBUI,
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
                notes=("Clip skip: 2 has no effect here",),
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
                notes=("Strength: 1.0, Seed Mode: Scale Alike, Shift: 3.0 have no effect here",),
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
                notes=NOTES_FORGE,
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
                notes=NOTES_COMFYUI,
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
                notes=NOTES_SD_NEXT,
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
                notes=NOTES_BROKEN_OVER_LINES,
            ),
        ),
        ("a\nSteps: 8, Sampler: Undefined, Seed: 1", Request(prompt="a", steps=8, seed=1)),
        (
            "a\nSteps: 3, Hashes: {model: 1, lora: [2, Seed: 3]}, Seed: 5",
            Request(
                prompt="a",
                steps=3,
                seed=5,
                notes=("Hashes: {model: 1, lora: [2, Seed: 3]} has no effect here",),
            ),
        ),
        (
            "a\nSteps: 3, Hashes: {a: 1, Seed: 5",
            Request(prompt="a", steps=3, seed=5, notes=("Hashes: {a: 1 has no effect here",)),
        ),
        (
            "a\nSteps: 3, VAE: ], Seed: 5, App: [",
            Request(prompt="a", steps=3, seed=5, notes=("VAE: ], App: [ have no effect here",)),
        ),
        (
            'a\nModel: "b \\"c, d", Seed: 5, VAE: "e',
            Request(prompt="a", model='b "c, d', seed=5, notes=('VAE: "e has no effect here',)),
        ),
        (
            "a\nSteps: 5, steps: 5, CFG scale: 3, Guidance scale: 3.0, Size: 64x128, Width: 64",
            Request(prompt="a", steps=5, cfg_scale=3, width=64, height=128),
        ),
        (
            "a\nSteps: 150, CFG scale: 30, Seed: 4294967295, Size: 2048x64, Count: 64",
            Request(
                prompt="a", steps=150, cfg_scale=30, seed=SEEDS - 1, width=2048, height=64, count=64
            ),
        ),
        (
            "a\nSteps: 1, CFG scale: +.5e1, Seed: 0, Width: 64, Height: 2048, Count: 1",
            Request(prompt="a", steps=1, cfg_scale=5, seed=0, width=64, height=2048),
        ),
        ("a\n-b\nSteps: 3", Request(prompt="a\n-b", steps=3)),
        (
            "a\nSteps: 3, Seed: 5, Count: 2, lens: 35mm",
            Request(prompt="a", steps=3, seed=5, count=2, notes=("lens: 35mm has no effect here",)),
        ),
        (
            f"a\nModel: {'b' * 200}, Distilled CFG Scale: 0",
            Request(prompt="a", model="b" * 200, distilled_cfg_scale=0),
        ),
    ],
)
def test_a_file_is_one_request(text: str, request_: Request) -> None:
    """A prompt alone, and infotext as web UIs and sharing sites write it, are read as meant."""
    assert read_requests(text) == (request_,)


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
    """Options split as in a shell, prompts end at the next one, other lines are prompts."""
    assert read_requests(
        '--prompt "a cat\'s \\"tail\\"" --steps 30 --sampler_name "DPM++ 2M Karras"\n\n'
        "a plain prompt: one, two\n"
        "--prompt two big dogs --negative_prompt a cat --n_iter 2 --batch_size 3 --seed -1\n"
        "--negative_prompt b --prompt a --tiling true --styles 'x y'\n"
        "--width 512 --height 768 --cfg_scale 4.5 --sd_model shapes --seed 7 --prompt dog"
    ) == (
        Request(prompt='a cat\'s "tail"', steps=30, sampler="DPM++ 2M", schedule_type="Karras"),
        Request(prompt="a plain prompt: one, two"),
        Request(prompt="two big dogs", negative_prompt="a cat", count=6),
        Request(
            prompt="a",
            negative_prompt="b",
            notes=("--tiling true, --styles x y have no effect here",),
        ),
        Request(prompt="dog", width=512, height=768, cfg_scale=4.5, model="shapes", seed=7),
    )


def test_of_an_option_that_a_line_has_twice_the_last_counts() -> None:
    """As in A1111; only the numbers of pictures multiply."""
    assert read_requests(
        "--prompt a --steps 5 --negative_prompt b --n_iter 2 --steps 7 --prompt c --n_iter 3 "
        "--negative_prompt d"
    ) == (Request(prompt="c", negative_prompt="d", steps=7, count=6),)


def test_of_a_prompt_that_a_line_of_settings_has_twice_the_last_counts() -> None:
    """A1111 reads the last line in this way, too."""
    line = 'Steps: 5, Prompt: "a", Negative prompt: "b", Prompt: "c", Negative prompt: "d"'
    assert read_requests(f"x\n{line}") == (Request(prompt="c", negative_prompt="d", steps=5),)


@pytest.mark.parametrize(("text", "error"), read_refusals())
def test_what_cannot_be_read_is_an_error_with_its_line_and_its_fix(
    text: str, error: list[str]
) -> None:
    """Nothing that looks like a setting is rendered as words: the line and the fix are named."""
    assert refusal(text) == error


@pytest.mark.parametrize(
    ("text", "line", "name", "length"),
    [
        (f"\n{'a' * MAX_PROMPT}\nb\nSteps: 5", 2, "prompt", "20,002"),
        (f"a\n\nNegative prompt: {'b' * (MAX_PROMPT + 1)}", 3, "negative prompt", "20,001"),
        (f"--prompt a\n--prompt {'a' * (MAX_PROMPT + 1)}", 2, "--prompt", "20,001"),
        (f"--prompt a\n{'a' * (MAX_PROMPT + 1)}", 2, "prompt", "20,001"),
    ],
)
def test_a_prompt_has_a_longest_length(text: str, line: int, name: str, length: str) -> None:
    """One character more is refused, in each place for a prompt; the limit itself is read."""
    assert refusal(text) == [
        f"Line {line} cannot be read",
        f"The {name} has {length} characters; the limit is 20,000.",
        "Shorten it: text encoders read far less.",
    ]
    longest = "a" * MAX_PROMPT
    assert read_requests(f"{longest}\nNegative prompt: {longest}") == (
        Request(prompt=longest, negative_prompt=longest),
    )


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


def test_what_mpsdoctor_writes_itself_is_not_noted() -> None:
    """Its own pairs say nothing new; the same keys of other tools have no effect."""
    assert read_requests("a\nSteps: 3, RNG: CPU, Version: mpsdoctor 0.1.0") == (
        Request(prompt="a", steps=3),
    )
    assert read_requests("a\nSteps: 3, RNG: NV, VAE: CPU, App: mpsdoctor") == (
        Request(
            prompt="a",
            steps=3,
            notes=("RNG: NV, VAE: CPU, App: mpsdoctor have no effect here",),
        ),
    )


def test_a_file_asks_for_a_thousand_pictures_at_most() -> None:
    """A thousand lines are read, one more picture is refused."""
    assert len(read_requests("--prompt a --seed 1\n" * MAX_PICTURES)) == MAX_PICTURES
    assert refusal("--prompt a\n" * (MAX_PICTURES - 1) + "--prompt a --n_iter 2") == [
        "This file asks for 1,001 pictures",
        "The limit for one file is 1,000.",
        "Split it into several files.",
    ]


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
