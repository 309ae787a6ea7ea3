"""Pictures: channel order, range, sizes, streaming, augmentation."""

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from nbhelpers.media import images
from nbhelpers.networks import pipelines

RED = (200, 30, 10)


@pytest.fixture
def table(tmp_path):
    """Six pictures: plain red ones, each of another brightness, as PNG (no loss)."""
    rows = []
    for number in range(6):
        path = tmp_path / f"picture{number}.png"
        Image.new("RGB", (48, 32), tuple(value + number for value in RED)).save(path)
        label = "FAKE" if number % 2 else "REAL"
        rows.append({"videoname": f"picture{number}.mp4", "label": label, "path": str(path)})
    return pd.DataFrame(rows)


def test_read_image_is_rgb(table):
    picture = images.read_image(table["path"][0])
    assert picture.shape == (32, 48, 3)
    assert picture.dtype == np.uint8
    assert picture[0, 0].tolist() == list(RED)


def test_dataset_is_rgb_0_to_255_in_order(table):
    batches = list(pipelines.make_dataset(table, image_size=16, batch_size=4))
    assert [tuple(x.shape) for x, _ in batches] == [(4, 16, 16, 3), (2, 16, 16, 3)]
    pixels = np.concatenate([x.numpy() for x, _ in batches])
    labels = np.concatenate([y.numpy() for _, y in batches])
    assert labels.tolist() == [0, 1, 0, 1, 0, 1]
    expected = np.array(RED)[None] + np.arange(6)[:, None]
    np.testing.assert_allclose(pixels[:, 8, 8], expected, atol=1e-3)


def test_both_readers_agree_on_a_photo(tmp_path):
    rng = np.random.default_rng(0)
    smooth = np.kron(rng.integers(0, 255, (7, 7, 3)), np.ones((32, 32, 1))).astype("uint8")
    path = tmp_path / "photo.jpg"
    Image.fromarray(smooth).save(path, quality=95)
    rows = pd.DataFrame({"videoname": ["photo.mp4"], "label": ["REAL"], "path": [str(path)]})
    (streamed, _), *_ = pipelines.make_dataset(rows, image_size=112)
    read = images.read_image(path, size=112)
    # The two decoders round differently; swapped channels would differ by tens.
    assert np.abs(streamed.numpy()[0] - read).mean() < 3
    assert np.abs(streamed.numpy()[0] - read[..., ::-1]).mean() > 20


def test_shuffle_changes_between_epochs_and_keeps_pairs(table):
    rows = pipelines.make_dataset(table, image_size=8, batch_size=6, shuffle_seed=3)
    orders = [next(iter(rows))[0].numpy()[:, 0, 0, 0].tolist() for _ in range(4)]
    assert any(order != orders[0] for order in orders[1:])
    x, y = next(iter(rows))
    brightness = x.numpy()[:, 0, 0, 0] - RED[0]
    assert (np.round(brightness).astype(int) % 2 == y.numpy()).all()


def test_same_seed_same_views(table):
    def first_batch():
        augment = pipelines.article_augmentation(seed=5)
        rows = pipelines.make_dataset(table, image_size=16, shuffle_seed=5, augment=augment)
        return next(iter(rows))[0].numpy()

    np.testing.assert_array_equal(first_batch(), first_batch())


def test_pairs_hold_a_real_and_its_own_fake(tmp_path):
    rows = []
    for family in range(5):
        for number in range(1 + family):  # 0 to 4 fakes
            name = f"{family}{number}.mp4"
            path = tmp_path / f"{family}{number}.png"
            Image.new("RGB", (8, 8), (20 * family, 30 * number, 0)).save(path)
            rows.append(
                {
                    "videoname": name,
                    "label": "FAKE" if number else "REAL",
                    "original": f"{family}0.mp4" if number else "",
                    "path": str(path),
                }
            )
    table = pd.DataFrame(rows)
    pairs = pipelines.make_pairs(table, image_size=8, batch_size=4, seed=1)
    assert len(pairs) == 2
    chosen = []
    for _ in range(6):  # epochs
        pixels = np.concatenate([x.numpy()[:, 0, 0] for x, _ in pairs]).round().astype(int)
        labels = np.concatenate([y.numpy() for _, y in pairs])
        family, number = pixels[:, 0] // 20, pixels[:, 1] // 30
        assert labels.tolist() == [0, 1] * 4
        assert (family[::2] == family[1::2]).all()
        assert sorted(family[::2]) == [1, 2, 3, 4]  # the one without fakes is left out
        assert (number[::2] == 0).all()
        assert (number[1::2] > 0).all()
        chosen.append(dict(zip(family[1::2], number[1::2], strict=True)))
    assert len({choice[4] for choice in chosen}) > 1  # another fake in another epoch
    again = pipelines.make_pairs(table, image_size=8, batch_size=4, seed=1)
    first = [x.numpy() for x, _ in pipelines.make_pairs(table, image_size=8, batch_size=4, seed=1)]
    np.testing.assert_array_equal(first[0], next(iter(again))[0].numpy())


def test_no_epoch_waits_for_a_tuner_to_wake(table):
    for dataset in (
        pipelines.make_dataset(table, image_size=16, shuffle_seed=1),
        pipelines.make_dataset(table, image_size=16, augment=lambda x, training: x),
    ):
        assert dataset.options().autotune.enabled is False


def test_without_families_batches_are_balanced_and_it_is_said_aloud(table, caplog):
    """Every picture of the rarer label once an epoch, beside one of the other drawn at random."""
    alone = table.assign(original="")
    with caplog.at_level("WARNING"):
        rows = pipelines.make_pairs(alone, image_size=8, batch_size=4, seed=1)
    assert pipelines.pairs_note(alone) in caplog.text
    assert "at random" in pipelines.pairs_note(alone)
    rarer = table["label"].value_counts().min()
    epochs = [[(x.numpy(), y.numpy()) for x, y in rows] for _ in range(2)]
    labels = np.concatenate([y for _, y in epochs[0]])
    assert labels.tolist() == [0, 1] * rarer
    assert len(rows) == -(-2 * rarer // 4)
    first, second = (np.concatenate([x for x, _ in epoch])[:, 0, 0] for epoch in epochs)
    assert (first != second).any()  # another order


def test_pairs_of_an_absent_class_and_odd_batches_are_refused(table):
    with pytest.raises(ValueError, match="received 0 reals"):
        pipelines.make_pairs(table[table["label"] == "FAKE"], image_size=8)
    with pytest.raises(ValueError, match="even"):
        pipelines.make_pairs(table.assign(original=""), image_size=8, batch_size=3)


def test_augmentation_is_wired_into_training_only(tmp_path):
    gradient = np.linspace(0, 255, 32 * 32 * 3).reshape(32, 32, 3).astype("uint8")
    Image.fromarray(gradient).save(tmp_path / "a.png")
    rows = pd.DataFrame({"label": ["REAL"], "path": [str(tmp_path / "a.png")]})
    training = pipelines.make_dataset(
        rows, image_size=32, augment=pipelines.article_augmentation(1)
    )
    evaluation = pipelines.make_dataset(rows, image_size=32)
    views = [next(iter(training))[0].numpy() for _ in range(2)]
    assert np.abs(views[0] - views[1]).mean() > 1
    assert views[0].min() >= 0
    assert views[0].max() <= 255
    same = [next(iter(evaluation))[0].numpy() for _ in range(2)]
    np.testing.assert_array_equal(*same)


def test_mask_is_boolean(tmp_path):
    grey = np.zeros((10, 10), "uint8")
    grey[2:4] = 255
    Image.fromarray(grey).save(tmp_path / "mask.png")
    mask = images.read_mask(tmp_path / "mask.png")
    assert mask.dtype == bool
    assert mask.sum() == 20


def test_bad_files_are_named(tmp_path, table):
    with pytest.raises(FileNotFoundError, match="nothing is at"):
        images.read_image(tmp_path / "none.jpg")
    text = tmp_path / "page.jpg"
    text.write_text("<html>")
    with pytest.raises(images.PictureError, match=r"page\.jpg"):
        images.read_image(text)
    with pytest.raises(ValueError, match="empty table"):
        pipelines.make_dataset(table.iloc[:0], image_size=8)


def test_near_duplicates_are_found_and_others_are_not():
    rng = np.random.default_rng(0)
    base = cv2.resize(rng.integers(0, 255, (9, 9, 3), dtype="uint8"), (90, 90))
    louder = np.clip(base * 1.1 + 3, 0, 255).astype("uint8")  # brighter everywhere: same shape
    other = cv2.resize(rng.integers(0, 255, (9, 9, 3), dtype="uint8"), (64, 80))
    hashes = np.array([images.difference_hash(picture) for picture in (other, base, louder)])
    assert hashes.shape == (3, 64)
    first, second = images.near_duplicates(hashes, max_bits=6)
    assert (first.tolist(), second.tolist()) == ([1], [2])
    assert len(images.near_duplicates(hashes[:0])[0]) == 0


def test_near_duplicates_count_bits():
    hashes = np.zeros((2500, 64), bool)  # more than one block of rows
    hashes[np.arange(2500), np.arange(2500) % 64] = True
    hashes[2400, :3] ^= True
    first, _ = images.near_duplicates(hashes, max_bits=0)
    same = sum(n * (n - 1) // 2 for n in np.bincount(np.delete(np.arange(2500) % 64, 2400)))
    assert len(first) == same
    assert len(images.near_duplicates(hashes, max_bits=64)[0]) == 2500 * 2499 // 2
