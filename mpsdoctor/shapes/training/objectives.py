"""What the training of the embedded model minimises."""

from typing import Final

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextModel

_KL_WEIGHT: Final = 1e-3


class Autoencoding(nn.Module):
    """The autoencoder's loss: the error of what it restores, and a little divergence."""

    def __init__(self, vae: AutoencoderKL) -> None:
        super().__init__()
        self.vae = vae

    def forward(self, pictures: Tensor) -> Tensor:
        """Compute the loss of pictures (N, 3, H, W), of any type, from 0 to 255."""
        pictures = pictures.float() / 127.5 - 1
        posterior = self.vae.encode(pictures.to(self.vae.dtype)).latent_dist
        restored = self.vae.decode(posterior.sample()).sample.float()
        divergence = posterior.kl().float().mean() / posterior.mean[0].numel()
        error = functional.l1_loss(restored, pictures) + functional.mse_loss(restored, pictures)
        loss: Tensor = error + _KL_WEIGHT * divergence
        return loss


class Denoising(nn.Module):
    """The denoiser's loss: the error of the velocity (arXiv 2202.00512) that it predicts."""

    def __init__(
        self, unet: UNet2DConditionModel, text_encoder: CLIPTextModel, scheduler: DDIMScheduler
    ) -> None:
        super().__init__()
        self.unet = unet
        self.text_encoder = text_encoder
        self.scheduler = scheduler

    def forward(self, latents: Tensor, ids: Tensor) -> Tensor:
        """Compute the loss of latents (N, 4, 32, 32) under noise, given their captions (N, L)."""
        noise = torch.randn_like(latents)
        times = self._sample_times(len(ids), ids.device)
        noisy = self.scheduler.add_noise(latents, noise, times)
        text = self.text_encoder(ids).last_hidden_state
        velocity = self.unet(noisy.to(text.dtype), times, text).sample.float()
        target: Tensor = self.scheduler.get_velocity(latents, noise, times)
        return functional.mse_loss(velocity, target)

    def _sample_times(self, count: int, device: torch.device) -> Tensor:
        """Sample timesteps, most of them late, one from each of `count` equal parts.

        Large flat areas shine through much noise: what the caption decides is decided
        in the last tenth of the timesteps.
        """
        parts = (torch.arange(count, device=device) + torch.rand(count, device=device)) / count
        last: int = self.scheduler.config.num_train_timesteps - 1
        return ((1 - parts.square()) * last).round().long()
