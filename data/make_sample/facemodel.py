"""The parametric head in plain numpy: base mesh, morphs, expressions, head pose, fitted parts.

Units are MakeHuman's: decimetres, x to the model's left, y up, z towards the camera.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from assets import AssetPaths
from scipy.spatial import cKDTree

# How much of the head's rotation each neck bone follows (the rest of the body keeps still).
NECK_SHARE = {"neck01": 0.2, "neck02": 0.45, "neck03": 0.75}


@dataclass
class Mesh:
    """Polygon mesh with one UV index per polygon corner."""

    vertices: np.ndarray
    faces: list
    uv: np.ndarray
    face_uv: list


@dataclass
class Proxy:
    """A part (hair, brow, suit ...) glued to triangles of the base mesh: it follows any morph."""

    ref: np.ndarray  # (n, 3) base vertices
    weights: np.ndarray  # (n, 3) barycentric weights
    offsets: np.ndarray  # (n, 3)
    faces: list
    face_uv: list
    uv: np.ndarray
    texture: str
    hidden: np.ndarray  # base vertices hidden underneath (clothes)
    folder: Path

    def fit(self, vertices: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Positions of the part on a morphed base mesh."""
        return (self.weights[:, :, None] * vertices[self.ref]).sum(1) + self.offsets * scale


def _read_obj(path: Path):
    vertices, uv, groups, group = [], [], {}, None
    for line in path.read_text().splitlines():
        word = line.split()
        if not word:
            continue
        if word[0] == "v":
            vertices.append([float(x) for x in word[1:4]])
        elif word[0] == "vt":
            uv.append([float(x) for x in word[1:3]])
        elif word[0] == "g":
            group = word[1]
        elif word[0] == "f":
            groups.setdefault(group, []).append(
                [[int(i) - 1 for i in corner.split("/")[:2]] for corner in word[1:]]
            )
    return (
        np.array(vertices),
        np.array(uv),
        {name: np.array(faces) for name, faces in groups.items()},
    )


def _polygons(stream: list):
    """Decode the three.js face stream: a bit field says which index lists follow each polygon."""
    faces, face_uv, i = [], [], 0
    while i < len(stream):
        kind = stream[i]
        corners = 4 if kind & 1 else 3
        i += 1
        faces.append(stream[i : i + corners])
        i += corners + bool(kind & 2) + bool(kind & 4)
        if kind & 8:
            face_uv.append(stream[i : i + corners])
            i += corners
        i += (
            bool(kind & 16)
            + corners * bool(kind & 32)
            + bool(kind & 64)
            + corners * bool(kind & 128)
        )
    return faces, face_uv


def rotation(yaw: np.ndarray, pitch: np.ndarray, roll: np.ndarray) -> np.ndarray:
    """Stack of rotation matrices for angles in radians (arrays of one length)."""

    def matrix(angle, axis):
        c, s, m = np.cos(angle), np.sin(angle), np.zeros((len(angle), 3, 3))
        a, b = [k for k in range(3) if k != axis]
        sign = -1 if axis == 1 else 1
        m[:, axis, axis], m[:, a, a], m[:, b, b] = 1, c, c
        m[:, a, b], m[:, b, a] = -sign * s, sign * s
        return m

    return matrix(yaw, 1) @ matrix(pitch, 0) @ matrix(roll, 2)


class FaceModel:
    """Everything about the base mesh that is the same for all people."""

    def __init__(self, assets: AssetPaths):
        self.assets = assets
        self._targets, self._proxies = {}, {}  # those already read
        self.vertices, self.uv, self.groups = _read_obj(assets.mpfb / "3dobjs/base.obj")
        self.head_share = self._head_share()
        self.body = np.unique(self.groups["body"][:, :, 0])
        self.regions = self._regions()

    def target(self, name: str):
        """Morph target as (vertex indices, offsets); `unit:` names are facial expressions."""
        if name not in self._targets:
            if name.startswith("unit:"):
                text = (self.assets.face_units / f"{name[5:]}.target").read_text()
            else:
                packed = self.assets.mpfb / f"targets/{name}.target.gz"
                text = gzip.decompress(packed.read_bytes()).decode()
            lines = [s for s in text.splitlines() if s.strip() and s[0] != "#"]
            rows = np.array([[float(x) for x in s.split()] for s in lines]).reshape(-1, 4)
            self._targets[name] = rows[:, 0].astype(int), rows[:, 1:]
        return self._targets[name]

    def has_target(self, name: str) -> bool:
        return (self.assets.mpfb / f"targets/{name}.target.gz").exists()

    def displacement(self, weights: dict) -> np.ndarray:
        """Sum of weighted morph targets."""
        total = np.zeros_like(self.vertices)
        for name, weight in weights.items():
            if abs(weight) > 1e-4:
                index, offset = self.target(name)
                total[index] += weight * offset
        return total

    def joint(self, vertices: np.ndarray, name: str) -> np.ndarray:
        """Centre of one of the mesh's small joint cubes."""
        return vertices[np.unique(self.groups[name][:, :, 0])].mean(0)

    def proxy(self, kind: str, name: str) -> Proxy:
        """A fitted part by its kind and name."""
        if (kind, name) not in self._proxies:
            self._proxies[kind, name] = self._read_proxy(kind, name)
        return self._proxies[kind, name]

    def _read_proxy(self, kind, name):
        folder = self.assets.proxies / kind / name
        data = json.loads((folder / f"{name}.json").read_text())
        faces, face_uv = _polygons(data["faces"])
        hidden = np.array(data["metadata"].get("deleteVerts", []))
        hidden = (
            hidden[: len(self.vertices)] > 0
            if len(hidden) == len(self.vertices)
            else np.zeros(len(self.vertices), bool)
        )
        return Proxy(
            np.array(data["ref_vIdxs"]),
            np.array(data["weights"], float),
            np.array(data["offsets"], float),
            faces,
            face_uv,
            np.array(data["uvs"][0]).reshape(-1, 2),
            data["materials"][0]["mapDiffuse"],
            hidden,
            folder,
        )

    def _head_share(self) -> np.ndarray:
        """Per vertex: 1 = turns with the head, 0 = stays with the shoulders."""
        folder = self.assets.mpfb / "rigs/standard"
        rig = json.loads((folder / "rig.default.json").read_text())
        rig = rig.get("bones", rig)
        weights = json.loads((folder / "weights.default.json").read_text())["weights"]

        def share(bone):
            if bone in NECK_SHARE:
                return NECK_SHARE[bone]
            while bone:
                if bone == "head":
                    return 1.0
                bone = rig[bone].get("parent")
            return 0.0

        moved, total = np.zeros(len(self.vertices)), np.zeros(len(self.vertices))
        for bone, pairs in weights.items():
            if bone in rig:
                factor = share(bone)
                for vertex, weight in pairs:
                    moved[int(vertex)] += factor * weight
                    total[int(vertex)] += weight
        result = moved / np.maximum(total, 1e-6)
        # Helper geometry inside the head carries no weights of its own.
        inside = ("eye", "teeth", "tongue", "lid", "jaw", "mouth", "head")
        for name, faces in self.groups.items():
            if any(word in name for word in inside):
                result[np.unique(faces[:, :, 0])] = 1
        return result

    def _regions(self) -> dict:
        """Vertex sets whose projections outline parts of the head.

        The face, its lower half, and the span from chin to hairline.
        """
        x, y, z = self.vertices[self.body].T
        on_head = self.head_share[self.body] > 0.99

        def ellipse(cy, half_width, half_height, front):
            inside = np.abs(x / half_width) ** 2.4 + np.abs((y - cy) / half_height) ** 2.4 < 1
            return self.body[inside & on_head & (z > front)]

        return {
            "face": ellipse(7.02, 0.72, 0.84, 0.8),
            "lower": ellipse(6.52, 0.52, 0.42, 1.0),
            "frame": ellipse(7.10, 0.85, 0.95, 0.6),
        }


class Person:
    """One identity's geometry: rest shape plus fitted parts, posed on demand."""

    def __init__(self, model: FaceModel, identity: dict):
        self.model, self.identity = model, identity
        self.rest = model.vertices + model.displacement(identity["targets"])
        left, right = (model.joint(self.rest, f"joint-{side}-eye") for side in "lr")
        self.eyes = (left + right) / 2
        self.pivot = model.joint(self.rest, "joint-neck") + np.array([0, 0.35, 0.25])
        self.scale = self._offset_scale()
        look = identity["look"]
        self.parts = {
            "eyes": model.proxy("eyes", "HighPolyEyes"),
            "lashes": model.proxy("eyelashes", look["lashes"]),
            "teeth": model.proxy("teeth", "Teeth_Base"),
            "tongue": model.proxy("tongue", "tongue01"),
            "brows": model.proxy("eyebrows", look["brows"]),
        }
        if look["hair"]:
            self.parts["hair"] = model.proxy("hair", look["hair"])
        self.suit = model.proxy("clothes", look["suit"])
        self._lash_anchor = self._nearest_skin(self.parts["lashes"].fit(self.rest, self.scale))

    def _offset_scale(self) -> np.ndarray:
        """Head size relative to the base mesh, per axis; scales the parts' offsets."""

        def size(v):
            head = v[self.model.body[self.model.head_share[self.model.body] > 0.99]]
            return np.ptp(head, 0)

        return size(self.rest) / size(self.model.vertices)

    def _nearest_skin(self, points: np.ndarray):
        """Nearest skin vertices and their weights.

        The blink targets leave the lashes behind, so lashes follow the skin next to them instead.
        """
        skin = self.model.body[self.model.head_share[self.model.body] > 0.99]
        distance, index = cKDTree(self.rest[skin]).query(points, k=4)
        weight = 1 / (distance + 1e-3)
        return skin[index], weight / weight.sum(1, keepdims=True)

    def _turn(self, points: np.ndarray, share: np.ndarray, pose_degrees) -> np.ndarray:
        yaw, pitch, roll = (np.radians(a) * share for a in pose_degrees)
        return np.einsum("nij,nj->ni", rotation(yaw, pitch, roll), points - self.pivot) + self.pivot

    def posed(self, expression: dict, pose_degrees) -> dict:
        """All vertex arrays for one expression and head pose (yaw, pitch, roll).

        The eyes' midpoint at rest is the origin.
        """
        moved = self.model.displacement({f"unit:{k}": v for k, v in expression.items()})
        skin = self.rest + moved
        result = {"body": self._turn(skin, self.model.head_share, pose_degrees)}
        for name, part in self.parts.items():
            share = np.ones(len(part.ref))
            points = part.fit(skin, self.scale)
            if name == "lashes":
                index, weight = self._lash_anchor
                points = part.fit(self.rest, self.scale)
                points = points + (moved[index] * weight[:, :, None]).sum(1)
            elif name == "hair":
                share = np.clip((self.model.head_share[part.ref] * part.weights).sum(1), 0, 1)
                if self.identity["look"]["mirror_hair"]:
                    points = points * [-1, 1, 1]
            result[name] = self._turn(points, share, pose_degrees)
        result["suit"] = self.suit.fit(self.rest, np.ones(3))
        return {name: points - self.eyes for name, points in result.items()}
