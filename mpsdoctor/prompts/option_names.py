"""The options of A1111's script "Prompts from file or textbox": those taken, and the others."""

OPTIONS = {
    "--sampler_name": "sampler",
    "--sd_model": "model",
    "--seed": "seed",
    "--steps": "steps",
    "--cfg_scale": "cfg_scale",
    "--width": "width",
    "--height": "height",
}
"""To settings."""

TEXTS = {"--prompt": "prompt", "--negative_prompt": "negative_prompt"}
"""To fields of a request; their words go on until the next option."""

COUNTS = ("--n_iter", "--batch_size")
"""How many pictures: their product."""

PATHS = ("--outpath_samples", "--outpath_grids")

WITHOUT_EFFECT = (
    "--prompt_for_display",
    "--styles",
    "--subseed",
    "--subseed_strength",
    "--seed_resize_from_h",
    "--seed_resize_from_w",
    "--sampler_index",
    "--restore_faces",
    "--tiling",
    "--do_not_save_samples",
    "--do_not_save_grid",
)

EXAMPLE = '`--prompt "a red circle" --steps 30`'
