#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes metrics.json beside itself: scores and what scikit-learn says of them.

    python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1
    venv/bin/python tests/golden/make_metrics.py

The equal error rate is not in scikit-learn: it is found here as the root of false positive rate -
miss rate on the undropped ROC, by bisection.
"""
import json
import pathlib

import numpy as np
from scipy.optimize import brentq
from sklearn import __version__
from sklearn import metrics as sk


def equal_error_rate(truth, p):
    fpr, tpr, _ = sk.roc_curve(truth, p, drop_intermediate=False)
    # Along the curve by index: a vertical step has one rate for many misses.
    at = np.arange(len(fpr))
    gap = lambda t: np.interp(t, at, fpr) - (1 - np.interp(t, at, tpr))
    return float(np.interp(brentq(gap, 0, len(fpr) - 1, xtol=1e-14), at, fpr))


def measure(name, truth, p):
    truth, p = np.asarray(truth), np.asarray(p, dtype=np.float64)
    called = (p > 0.5).astype(int)
    p_true = np.clip(np.where(truth == 1, p, 1 - p), 1e-7, 1 - 1e-7)
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        truth, called, labels=[0, 1], zero_division=np.nan)
    case = {
        "name": name,
        "real": truth.tolist(),
        "p_real": p.tolist(),
        "accuracy": float(sk.accuracy_score(truth, called)),
        "balanced_accuracy": float(np.mean([r for r, s in zip(recall, support) if s])),
        "mse": float(np.mean((p - truth) ** 2)),
        "bce": float(-np.mean(np.log(p_true))),
        "confusion": sk.confusion_matrix(truth, called, labels=[0, 1]).tolist(),
        "precision": precision.tolist(),
        "recall": recall.tolist(),
        "f1": f1.tolist(),
        "auc": None,
    }
    for average in ("macro", "weighted"):
        case[average] = list(map(float, sk.precision_recall_fscore_support(
            truth, called, labels=[0, 1], average=average, zero_division=np.nan)[:3]))
    if 0 < truth.sum() < len(truth):
        fpr, tpr, threshold = sk.roc_curve(truth, p, drop_intermediate=True)
        assert case["balanced_accuracy"] == sk.balanced_accuracy_score(truth, called)
        case.update(
            auc=float(sk.roc_auc_score(truth, p)),
            average_precision=float(sk.average_precision_score(truth, p)),
            eer=equal_error_rate(truth, p),
            roc=[[f, t, None if np.isinf(h) else h] for f, t, h in
                 zip(fpr.tolist(), tpr.tolist(), threshold.tolist())])
    return case


def main():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 61)
    leaning = np.clip(0.5 + 0.2 * (2 * truth - 1) + rng.normal(0, 0.3, 61), 0, 1)
    cases = [
        measure("ties", truth, np.round(leaning * 8) / 8),
        measure("no ties", truth, 0.01 + 0.98 * leaning + 1e-4 * rng.random(61)),
        measure("few reals", [1] * 3 + [0] * 57, np.round(rng.random(60) * 32) / 32),
        measure("few fakes", [0] * 2 + [1] * 40, rng.random(42)),
        measure("separated", [0, 0, 0, 1, 1], [0.0, 0.1, 0.4, 0.6, 1.0]),
        measure("all wrong", [0, 0, 1, 1, 1], [1.0, 0.75, 0.25, 0.5, 0.0]),
        measure("one score for all", [0, 1, 0, 1, 1], [0.5] * 5),
        measure("only fakes", [0] * 7, np.arange(7) / 8),
        measure("only reals", [1] * 7, np.arange(7) / 8),
        measure("one image", [1], [0.75]),
        measure("two images", [1, 0], [0.25, 0.75]),
    ]
    path = pathlib.Path(__file__).with_name("metrics.json")
    cases = json.loads(json.dumps(cases), parse_constant=lambda nan: None)
    path.write_text('{"scikit-learn": "%s", "cases": [\n%s\n]}\n' %
                    (__version__, ",\n".join(map(json.dumps, cases))))


if __name__ == "__main__":
    main()
