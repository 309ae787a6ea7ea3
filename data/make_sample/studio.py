"""Everything that talks to Blender: scene, materials, lamps, camera, rendering to arrays."""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path

import bpy
import numpy as np
import OpenEXR
from facemodel import Person
from mathutils import Matrix

SENSOR = 36.0
LOWEST_VISIBLE = 4.2  # decimetres: the body below the chest is never in the picture


def to_blender(points: np.ndarray) -> np.ndarray:
    """MakeHuman decimetres (y up) to Blender metres (z up)."""
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], 1) * 0.1


# ---------------------------------------------------------------- camera


class Camera:
    """Pinhole camera that makes given points fill a given part of the picture.

    Its lens and shift are chosen accordingly.
    """

    def __init__(self, spec: dict, size: tuple, frame_points: np.ndarray):
        self.size = size
        azimuth, elevation = math.radians(spec["azimuth"]), math.radians(spec["elevation"])
        direction = np.array(
            [
                math.sin(azimuth) * math.cos(elevation),
                -math.cos(azimuth) * math.cos(elevation),
                math.sin(elevation),
            ]
        )
        centre = frame_points.mean(0)
        self.position = centre + spec["distance"] * direction
        right = np.cross([0, 0, 1.0], direction)
        right /= np.linalg.norm(right)
        # rows: camera x, y, z in world axes
        self.axes = np.stack([right, np.cross(direction, right), direction])
        flat = self._flatten(frame_points)[0]
        low, high = flat.min(0), flat.max(0)
        self.focal = spec["face_fraction"] * size[1] / (high[1] - low[1])
        wanted = np.array([0.5 + spec["centre"][0], 0.5 - spec["centre"][1]]) * size
        self.principal = wanted - self.focal * (low + high) / 2 * [1, -1]

    def _flatten(self, points):
        local = (points - self.position) @ self.axes.T
        return local[:, :2] / -local[:, 2:], -local[:, 2]

    def project(self, points: np.ndarray, shake=(0, 0)) -> np.ndarray:
        """Pixel positions of world points."""
        return (
            self.principal
            + self.focal * self._flatten(points)[0] * [1, -1]
            + np.array(shake) * max(self.size)
        )

    def apply(self, shake=(0, 0)) -> None:
        """Set Blender's camera to this one."""
        camera = bpy.context.scene.camera
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = self.axes.T, self.position
        camera.matrix_world = Matrix(matrix.tolist())
        longest = max(self.size)
        camera.data.lens = self.focal * SENSOR / longest
        camera.data.shift_x = (self.size[0] / 2 - self.principal[0]) / longest - shake[0]
        camera.data.shift_y = (self.principal[1] - self.size[1] / 2) / longest + shake[1]


# ---------------------------------------------------------------- scene and light


def new_scene(size: tuple, samples: int) -> None:
    """Empty scene for Cycles on one CPU thread.

    Few samples plus denoiser, fixed noise seed, transparent film, a hair pass.
    """
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    render = scene.render
    render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device, cycles.samples = "CPU", samples
    cycles.seed, cycles.use_adaptive_sampling = 0, False
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.denoising_quality = cycles.denoising_prefilter = "FAST"
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 4, 1, 2
    cycles.transmission_bounces, cycles.transparent_max_bounces = 2, 10
    cycles.caustics_reflective = cycles.caustics_refractive = False
    render.resolution_x, render.resolution_y, render.resolution_percentage = *size, 100
    render.film_transparent, render.use_persistent_data = True, True
    render.threads_mode, render.threads = "FIXED", 1
    settings = render.image_settings
    settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format = "OPEN_EXR_MULTILAYER"
    settings.color_depth, settings.exr_codec = "16", "NONE"
    world = bpy.data.worlds.new("sky")
    world.use_nodes = True
    scene.world = world
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.sensor_width, camera.data.sensor_fit = SENSOR, "AUTO"
    scene.collection.objects.link(camera)
    scene.camera = camera
    layer = scene.view_layers[0]
    hair_pass = layer.aovs.add()
    hair_pass.name, hair_pass.type = "hair", "VALUE"
    layer.update_render_passes()


def black_body(kelvin: float) -> np.ndarray:
    """Approximate linear colour of a lamp of the given temperature (Helland's fit)."""
    t = kelvin / 100
    red = 255 if t <= 66 else 329.7 * (t - 60) ** -0.1332
    green = 99.47 * math.log(t) - 161.1 if t <= 66 else 288.1 * (t - 60) ** -0.0755
    blue = 255 if t >= 66 else 138.5 * math.log(t - 10) - 305
    return (np.clip([red, green, blue], 0, 255) / 255) ** 2.2


def set_light(light: dict) -> None:
    """Replace the lamps."""
    scene = bpy.context.scene
    for old in [o for o in scene.objects if o.type == "LIGHT"]:
        data = old.data
        bpy.data.objects.remove(old)
        bpy.data.lights.remove(data)
    for lamp in light["lamps"]:
        data = bpy.data.lights.new("lamp", "AREA")
        data.energy, data.size, data.color = (
            lamp["power"],
            lamp["size"],
            black_body(lamp["kelvin"]).tolist(),
        )
        lamp_object = bpy.data.objects.new("lamp", data)
        a, e = math.radians(lamp["azimuth"]), math.radians(lamp["elevation"])
        back = np.array([math.sin(a) * math.cos(e), -math.cos(a) * math.cos(e), math.sin(e)])
        right = np.cross([0, 0, 1.0], back)
        right /= np.linalg.norm(right)
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = (
            np.stack([right, np.cross(back, right), back], 1),
            1.6 * back,
        )
        lamp_object.matrix_world = Matrix(matrix.tolist())
        scene.collection.objects.link(lamp_object)
    sky = scene.world.node_tree.nodes["Background"]
    sky.inputs[0].default_value = (*black_body(light["sky_kelvin"]).tolist(), 1)
    sky.inputs[1].default_value = light["sky"]


# ---------------------------------------------------------------- people


def _image_node(tree, path: Path, data=False):
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(str(path), check_existing=True)
    if data:
        node.image.colorspace_settings.name = "Non-Color"
    return node


def _material(name, texture: Path, roughness, specular, transparent=False):
    """Principled material with one colour texture."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    image = _image_node(tree, texture)
    tree.links.new(image.outputs["Color"], shader.inputs["Base Color"])
    if transparent:
        tree.links.new(image.outputs["Alpha"], shader.inputs["Alpha"])
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Specular IOR Level"].default_value = specular
    return material, tree, shader, image


def _skin_material(folder: Path, roughness: float, age: float):
    material, tree, shader, _ = _material("skin", folder / "skin.png", roughness, 0.4)
    shader.inputs["Subsurface Weight"].default_value = 0.25
    shader.inputs["Subsurface Radius"].default_value = (1, 0.35, 0.2)
    shader.inputs["Subsurface Scale"].default_value = 0.006
    bump = tree.nodes.new("ShaderNodeBump")
    bump.inputs["Strength"].default_value = 0.35 + 0.3 * age
    bump.inputs["Distance"].default_value = 0.0015
    relief = _image_node(tree, folder / "bump.png", True)
    tree.links.new(relief.outputs["Color"], bump.inputs["Height"])
    tree.links.new(bump.outputs["Normal"], shader.inputs["Normal"])
    return material


def _eye_material(texture: Path):
    """Eyeball where the texture is opaque, wet glassy cornea where it is transparent."""
    material, tree, shader, image = _material("eyes", texture, 0.1, 0.5)
    clear, gloss, cornea, eye = (
        tree.nodes.new(f"ShaderNode{n}")
        for n in ("BsdfTransparent", "BsdfGlossy", "MixShader", "MixShader")
    )
    gloss.inputs["Roughness"].default_value = 0.03
    cornea.inputs[0].default_value = 0.045
    tree.links.new(clear.outputs[0], cornea.inputs[1])
    tree.links.new(gloss.outputs[0], cornea.inputs[2])
    tree.links.new(image.outputs["Alpha"], eye.inputs[0])
    tree.links.new(cornea.outputs[0], eye.inputs[1])
    tree.links.new(shader.outputs[0], eye.inputs[2])
    tree.links.new(eye.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
    return material


def _hair_material(texture: Path):
    """Hair that also writes 1 into the hair pass.

    Compositing uses this to find what hangs over the face.
    """
    material, tree, _, _ = _material("hair", texture, 0.45, 0.35, True)
    output = tree.nodes.new("ShaderNodeOutputAOV")
    output.aov_name = "hair"
    output.inputs["Value"].default_value = 1.0
    return material


def _mesh_object(name, vertices, faces, face_uv, uv, material):
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(to_blender(vertices).tolist(), [], [[int(i) for i in f] for f in faces])
    layer = mesh.uv_layers.new()
    layer.data.foreach_set(
        "uv", uv[np.concatenate([np.asarray(f, int) for f in face_uv])].astype(np.float32).ravel()
    )
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    mesh.materials.append(material)
    mesh.update()
    new = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(new)
    return new


class Figure:
    """A person standing in the Blender scene."""

    def __init__(self, person: Person, textures: Path, dressed: bool):
        """`dressed`: with hair and clothes (as a donor only the bare face is needed)."""
        self.person, model = person, person.model
        look, rest = person.identity["look"], person.posed({}, (0, 0, 0))
        quads = model.groups["body"]
        keep = person.rest[quads[:, :, 0]][:, :, 1].mean(1) > LOWEST_VISIBLE
        if dressed:
            keep &= ~person.suit.hidden[quads[:, :, 0]].all(1)
        quads = quads[keep]
        self.body_index, local = np.unique(quads[:, :, 0], return_inverse=True)
        skin = _skin_material(textures, look["roughness"], person.identity["age"])
        body = _mesh_object(
            "body",
            rest["body"][self.body_index],
            local.reshape(-1, 4),
            quads[:, :, 1],
            model.uv,
            skin,
        )
        body.modifiers.new("smooth", "SUBSURF").render_levels = 1
        self.objects = {"body": body}
        materials = {
            "eyes": lambda f: _eye_material(f / f"textures/{look['iris']}_eye.png"),
            "lashes": lambda f: _material(
                "lashes", f / person.parts["lashes"].texture, 0.6, 0.1, True
            )[0],
            "teeth": lambda f: _material(
                "teeth", f / person.parts["teeth"].texture, 0.25, 0.5, True
            )[0],
            "tongue": lambda f: _material("tongue", f / person.parts["tongue"].texture, 0.35, 0.4)[
                0
            ],
            "brows": lambda f: _material("brows", textures / "brows.png", 0.7, 0.1, True)[0],
            "hair": lambda f: _hair_material(textures / "hair.png"),
        }
        for name, part in person.parts.items():
            if name == "hair" and not dressed:
                continue
            # Mirroring turns faces inside out: reverse their corners.
            mirrored = name == "hair" and look["mirror_hair"]
            order = slice(None, None, -1 if mirrored else 1)
            self.objects[name] = _mesh_object(
                name,
                rest[name],
                [f[order] for f in part.faces],
                [f[order] for f in part.face_uv],
                part.uv,
                materials[name](part.folder),
            )
        if dressed:
            cloth = _material("suit", textures / "suit.png", 0.8, 0.15)[0]
            self.objects["suit"] = _mesh_object(
                "suit", rest["suit"], person.suit.faces, person.suit.face_uv, person.suit.uv, cloth
            )

    def pose(self, vertices: dict) -> None:
        """Move all meshes to posed vertices (from Person.posed)."""
        for name, item in self.objects.items():
            points = vertices[name][self.body_index] if name == "body" else vertices[name]
            item.data.vertices.foreach_set("co", to_blender(points).astype(np.float32).ravel())
            item.data.update()

    def remove(self) -> None:
        """Take the person and everything loaded for it out of the scene."""
        for item in self.objects.values():
            mesh = item.data
            bpy.data.objects.remove(item)
            bpy.data.meshes.remove(mesh)
        for material in list(bpy.data.materials):
            bpy.data.materials.remove(material)
        for image in list(bpy.data.images):
            bpy.data.images.remove(image)


# ---------------------------------------------------------------- rendering


@contextlib.contextmanager
def _silence():
    """Cycles prints from C, so the file descriptor itself is redirected."""
    saved, null = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    try:
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(null)


def set_border(box, size) -> None:
    """Render only a pixel box (x0, y0, x1, y1), or everything for None."""
    render = bpy.context.scene.render
    render.use_border, render.use_crop_to_border = box is not None, False
    if box is not None:
        x0, y0, x1, y1 = (float(v) for v in box)
        render.border_min_x, render.border_max_x = x0 / size[0], x1 / size[0]
        render.border_min_y, render.border_max_y = 1 - y1 / size[1], 1 - y0 / size[1]


def nothing(size) -> dict:
    """What rendering an empty picture would give."""
    width, height = size
    empty = np.zeros((height, width), np.uint8)
    return {"bgr": np.zeros((height, width, 3), np.float16), "alpha": empty, "hair": empty}


def shoot(scratch: Path) -> dict:
    """Render the scene; returns linear premultiplied BGR (float16), alpha and hair (uint8)."""
    scene = bpy.context.scene
    scene.render.filepath = str(scratch)
    with _silence():
        bpy.ops.render.render(write_still=True)
    with OpenEXR.File(str(scratch), separate_channels=True) as exr:
        channels = {
            name: channel.pixels for part in exr.parts for name, channel in part.channels.items()
        }
    scratch.unlink()

    def pick(ending):
        return next(v for k, v in channels.items() if k.endswith(ending)).astype(np.float32)

    bgr = np.stack([pick(f"Combined.{c}") for c in "BGR"], -1)
    return {
        "bgr": np.clip(bgr, 0, 200).astype(np.float16),
        "alpha": np.round(255 * np.clip(pick("Combined.A"), 0, 1)).astype(np.uint8),
        "hair": np.round(255 * np.clip(pick(".hair.X"), 0, 1)).astype(np.uint8),
    }
