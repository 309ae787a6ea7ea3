"""A small training with everything random that notebooks have: judge.py; prints its results.

Pairs in random order, each with another fake in every epoch, augmentation, dropout, random weights;
decoding in several threads; then metrics with bootstrap intervals and a temperature.
"""

import hashlib
import json

if __name__ == "__main__":
    import keras

    from nbhelpers.data import locate, manifest, splits
    from nbhelpers.evaluation import calibration
    from nbhelpers.evaluation.predictions import predictions_of, score_models
    from nbhelpers.networks import models, pipelines, training

    keras.utils.set_random_seed(42)
    faces = manifest.read(locate.find(locate.FACES, locate.project_root() / "data" / "sample"))
    table = splits.balanced_split(
        faces.table, per_class=60, fractions=(0.6, 0.15, 0.25), seed=42, split_csv=""
    )
    train, validation, test = (table[table["split"] == name] for name in splits.SPLITS)
    families = faces.table[faces.table["group"].isin(train["group"])]
    augment = pipelines.article_augmentation(42)
    rows = pipelines.make_pairs(families, image_size=32, batch_size=16, seed=42, augment=augment)
    model = models.residual_cnn(32)
    model.compile("nadam", "binary_crossentropy", metrics=["accuracy"])
    watched = pipelines.make_dataset(validation, image_size=32)
    history = model.fit(rows, validation_data=watched, epochs=2, shuffle=False, verbose=0).history
    score = training.predict(model, test)
    predictions = predictions_of("ours", test, y_score=score)
    y_validation = manifest.y_true(validation)
    found = {
        "history": history,
        "metrics": score_models(predictions, table, seed=42),
        "temperature": calibration.fit_temperature(
            y_validation, training.predict(model, validation)
        ),
        "weights": [hashlib.sha256(w.tobytes()).hexdigest() for w in model.get_weights()],
    }
    print("results:", json.dumps(found, sort_keys=True))
