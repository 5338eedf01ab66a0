"""From config files to a Diffusers pipeline whose weights have shapes but no memory."""

import functools
import importlib
import inspect
from typing import Any

import diffusers
import torch
import transformers
from accelerate import init_empty_weights  # type: ignore[import-untyped]
from diffusers import DiffusionPipeline
from torch._subclasses.fake_tensor import FakeTensorMode

from mpsdoctor.errors import MpsDoctorError
from mpsdoctor.facts.disk import model_index
from mpsdoctor.planning.configs import Configs
from mpsdoctor.planning.tokens import FullLengthTokenizer

_LIBRARIES = ("diffusers", "transformers")
_UNUSED = ("FeatureExtractor", "ImageProcessor", "ImageProcessorFast", "Processor")
_TOKENIZERS = ("Tokenizer", "TokenizerFast")


class _Uncalled:
    """Stands in for components that process pictures: the run ends before there is one."""


def build(configs: Configs, dtype: torch.dtype, fake: FakeTensorMode) -> DiffusionPipeline:
    """The pipeline, its modules in `dtype` with `fake` weights as on the CPU, for inference.

    Only classes of the installed Diffusers and Transformers are used, never a model's own code.

    Raises MpsDoctorError if they lack a class, or if a config does not fit its class.
    """
    pipeline = _class(configs.model, "diffusers", configs.pipeline)
    components = {
        name: _component(configs, name, library, kind, dtype, fake)
        for name, (library, kind) in configs.classes.items()
    }
    arguments = _settings(pipeline, configs.model_index) | components
    try:
        return pipeline(**arguments)
    except Exception as error:  # any class of Diffusers may come here
        raise _does_not_fit(configs.model, configs.pipeline, error) from error


def component_class(configs: Configs, name: str) -> type[Any]:
    """Of the installed Diffusers or Transformers. Raises MpsDoctorError if neither has it."""
    return _class(configs.model, *configs.classes[name])


def parameters(module: torch.nn.Module) -> list[torch.Tensor]:
    """All tensors that stay in memory as long as the module does."""
    return [*module.parameters(), *module.buffers()]


def weights_bytes(module: torch.nn.Module) -> int:
    """The size of its parameters and buffers; shared ones count once."""
    sizes = {tensor.untyped_storage()._cdata: tensor.nbytes for tensor in parameters(module)}
    return sum(sizes.values())


def _settings(pipeline: type, index: dict[str, Any]) -> dict[str, Any]:
    """The constructor's arguments other than components; absent components are None."""
    wanted = {
        name: parameter
        for name, parameter in inspect.signature(pipeline).parameters.items()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    given = {
        name: value
        for name, value in index.items()
        if name in wanted and not model_index.is_entry(value)
    }
    absent = {
        name: None
        for name, parameter in wanted.items()
        if parameter.default is inspect.Parameter.empty
    }
    return absent | given


def _component(
    configs: Configs, name: str, library: str, kind: str, dtype: torch.dtype, fake: FakeTensorMode
) -> object:
    config = configs.components.get(name, {})
    if kind.endswith(_TOKENIZERS):
        return FullLengthTokenizer(config)
    if kind.endswith(_UNUSED):
        return _Uncalled()
    found = _class(configs.model, library, kind)
    try:
        if not issubclass(found, torch.nn.Module):
            return found.from_config(config)
        module = _empty(found, config)
    except Exception as error:
        raise _does_not_fit(configs.model, f"{name} ({kind})", error) from error
    _cast(module, dtype)
    with fake:
        module.to_empty(device="cpu")
    module.to = functools.partial(_recast, module, fake)  # type: ignore[method-assign]
    return module.eval().requires_grad_(False)


def _empty(kind: type[Any], config: dict[str, Any]) -> torch.nn.Module:
    with init_empty_weights():
        if issubclass(kind, diffusers.ModelMixin):
            module: torch.nn.Module = kind.from_config(config)
        else:
            module = kind(kind.config_class.from_dict(config))
            module.tie_weights()  # type: ignore[operator]
    return module


def _cast(module: torch.nn.Module, dtype: torch.dtype) -> None:
    """As `from_pretrained` does: some modules stay in float32.

    Transformers keeps `_keep_in_fp32_modules` in float16 alone, Diffusers in bfloat16 too.
    """
    kept = getattr(module, "_keep_in_fp32_modules_strict", None) or []
    if dtype is torch.float16 or isinstance(module, diffusers.ModelMixin):
        kept = [*kept, *(getattr(module, "_keep_in_fp32_modules", None) or [])]
    torch.nn.Module.to(module, dtype)
    for name, parameter in module.named_parameters():
        if set(name.split(".")) & set(kept):
            parameter.data = parameter.data.to(torch.float32)


def _recast(
    module: torch.nn.Module, fake: FakeTensorMode, *args: object, **kwargs: object
) -> torch.nn.Module:
    """`module.to` for fake weights, with which torch's own fails.

    Pipelines call it if a model decodes in float32.
    """
    dtype = torch._C._nn._parse_to(*args, **kwargs)[1]  # type: ignore[call-overload]
    if dtype is None:
        return module
    with fake:
        for part in module.modules():
            for name, parameter in part.named_parameters(recurse=False):
                fresh = torch.empty_like(parameter, dtype=dtype)
                part._parameters[name] = torch.nn.Parameter(fresh, requires_grad=False)
    return module


def _class(model: str, library: str, name: str) -> type[Any]:
    if library in _LIBRARIES:
        found = getattr(diffusers if library == "diffusers" else transformers, name, None)
    else:
        found = _of_pipeline(library, name)
    if not inspect.isclass(found):
        raise MpsDoctorError(
            f"{model} needs {library}.{name}, which is not installed",
            detail=f"diffusers {diffusers.__version__}, transformers {transformers.__version__}; "
            "code from a model's repository is never run.",
            hint="A newer Diffusers or Transformers may have it.",
        )
    return found


def _of_pipeline(folder: str, name: str) -> object:
    """Index files name the folder of Diffusers' pipelines for a class that only those use."""
    if not folder.isidentifier():
        return None
    try:
        return getattr(importlib.import_module(f"diffusers.pipelines.{folder}"), name, None)
    except ImportError:
        return None


def _does_not_fit(model: str, what: str, error: Exception) -> MpsDoctorError:
    return MpsDoctorError(
        f"The architecture of {model} cannot be built",
        detail=f"{what}: {type(error).__name__}: {error}",
        hint="Its config files are incomplete, or for another release of Diffusers or "
        "Transformers.",
    )
