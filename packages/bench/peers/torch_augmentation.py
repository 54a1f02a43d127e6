"""The augmentations of `@bpc/core` in PyTorch, by groups, as in the released code of DSA."""
import math

import torch
import torch.nn.functional as F


def draw(group, count, size):
    """Parameters of one augmentation, one per image."""
    shift, side = math.floor(0.125 * size + 0.5), math.floor(0.5 * size + 0.5)
    if group == "color":
        return {name: torch.rand(count) for name in ("brightness", "saturation", "contrast")}
    if group == "crop":
        return {"shift": torch.randint(-shift, shift + 1, (count, 2))}
    if group == "cutout":
        return {"centre": torch.randint(0, size + 1 - side % 2, (count, 2))}
    if group == "flip":
        return {"flip": torch.rand(count) < 0.5}
    if group == "scale":
        return {"scale": torch.rand(count, 2) * (1.2 - 1 / 1.2) + 1 / 1.2}
    return {"angle": (torch.rand(count) * 2 - 1) * (15 * math.pi / 180)}


def given(group, arrays):
    """Parameters of one augmentation from the tensors of a file."""
    prefix = f"augment/{group}/"
    parameters = {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
    return {name: value == 1 if name == "flip" else value for name, value in parameters.items()}


def resample(x, matrix):
    return F.grid_sample(x, F.affine_grid(matrix, x.shape, align_corners=True), align_corners=True)


def augment(group, x, p):
    count, _, height, width = x.shape
    rows, columns = torch.arange(height), torch.arange(width)
    if group == "color":
        x = x + (p["brightness"] - 0.5).view(-1, 1, 1, 1)
        mean = x.mean(1, keepdim=True)
        x = (x - mean) * (2 * p["saturation"]).view(-1, 1, 1, 1) + mean
        mean = x.mean((1, 2, 3), keepdim=True)
        return (x - mean) * (p["contrast"] + 0.5).view(-1, 1, 1, 1) + mean
    if group == "crop":
        pad = math.floor(0.125 * height + 0.5)
        moved_rows = rows.view(1, -1, 1) + p["shift"][:, 0].view(-1, 1, 1) + pad
        moved_columns = columns.view(1, 1, -1) + p["shift"][:, 1].view(-1, 1, 1) + pad
        padded = F.pad(x, (pad, pad, pad, pad)).permute(0, 2, 3, 1)
        return padded[torch.arange(count).view(-1, 1, 1), moved_rows, moved_columns].permute(0, 3, 1, 2)
    if group == "cutout":
        side = math.floor(0.5 * height + 0.5)
        top, left = p["centre"][:, 0].view(-1, 1, 1) - side // 2, p["centre"][:, 1].view(-1, 1, 1) - side // 2
        r, c = rows.view(1, -1, 1), columns.view(1, 1, -1)
        hidden = (r >= top) & (r < top + side) & (c >= left) & (c < left + side)
        return x * (~hidden).to(x.dtype).unsqueeze(1)
    if group == "flip":
        return torch.where(p["flip"].view(-1, 1, 1, 1), x.flip(3), x)
    zero = torch.zeros(count)
    if group == "scale":
        return resample(x, torch.stack([p["scale"][:, 0], zero, zero, zero, p["scale"][:, 1], zero], 1).view(-1, 2, 3))
    cosine, sine = p["angle"].cos(), p["angle"].sin()
    return resample(x, torch.stack([cosine, -sine, zero, sine, cosine, zero], 1).view(-1, 2, 3))
