"""The options of A1111's script "Prompts from file or textbox": those with effect, and others."""

OPTIONS = {
    "--sampler_name": "sampler",
    "--sd_model": "model",
    "--seed": "seed",
    "--steps": "steps",
    "--cfg_scale": "cfg_scale",
    "--width": "width",
    "--height": "height",
}
"""The setting for each option."""

TEXTS = {"--prompt": "prompt", "--negative_prompt": "negative_prompt"}
"""The field of a request for each option. Their text ends at the next option."""

COUNTS = ("--n_iter", "--batch_size")
"""Their product is the number of pictures."""

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
