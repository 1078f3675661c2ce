"""The products with the inputs that message passing needs, on the CPU or on a GPU."""

from __future__ import annotations

import numpy as np

from simulate.instance import Unsupported


class Matrix:
    """Inputs x (n, d) over sqrt(d); vectors come and go as NumPy arrays.

    Args:
        device: "cpu" for NumPy; any other is one of torch, which keeps the inputs there, "cuda" for a GPU.

    Raises:
        Unsupported: there is no GPU.
    """

    def __init__(self, x: np.ndarray, device: str = "cpu") -> None:
        self.n, self.d = x.shape
        self.power = float(np.einsum("ij,ij->", x, x)) / x.size
        self._scale, self._x, self._device = 1 / np.sqrt(self.d), x, device
        if device != "cpu":
            import torch

            if device.startswith("cuda") and not torch.cuda.is_available():
                raise Unsupported("no GPU is found; leave out --device cuda")
            self._torch = torch
            self._tensor = torch.as_tensor(x, device=device)

    def fields(self, w: np.ndarray) -> np.ndarray:
        """(n,) x w / sqrt(d)."""
        if self._device == "cpu":
            return self._scale * (self._x @ w)
        return self._scale * (self._tensor @ self._torch.as_tensor(w, device=self._device)).cpu().numpy()

    def pulls(self, g: np.ndarray) -> np.ndarray:
        """(d,) g x / sqrt(d)."""
        if self._device == "cpu":
            return self._scale * (g @ self._x)
        return self._scale * (self._torch.as_tensor(g, device=self._device) @ self._tensor).cpu().numpy()
