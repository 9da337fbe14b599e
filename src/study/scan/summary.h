/* SPDX-License-Identifier: Apache-2.0
 *
 * One property over many images: moments, histograms, and how far two sets of images lie apart.
 */
#ifndef MESO_STUDY_SUMMARY_H
#define MESO_STUDY_SUMMARY_H

#include "study/scan/study_scan.h"

/* Values of a property in the usable images of a class, NaN left out, in the order of the dataset.
 * values: room for files.n_class[label]. Returns how many. */
size_t study_values(const study_dataset *dataset, meso_label label, study_property property,
                    double *values);

typedef struct study_moments {
    size_t n;
    double mean, std; /* the population's (NumPy's std); NaN without values */
} study_moments;

study_moments study_moments_of(const double *values, size_t n);

typedef struct study_effect {
    double d;  /* Cohen's d: difference of means, a − b, by the pooled deviation (Cohen 1988) */
    double ks; /* Kolmogorov–Smirnov: largest distance of the distributions, 0…1 */
} study_effect;

/* Sorts both arrays. NaN where a set has fewer than 2 values, or d where nothing varies. */
study_effect study_effect_of(double *a, size_t n_a, double *b, size_t n_b);

/* Of a property between two classes, of one dataset or of two. */
study_effect study_effect_between(const study_dataset *a, int label_a, const study_dataset *b,
                                  int label_b, study_property property);

enum { STUDY_HISTOGRAM_BINS = 24 };

/* Shares of n values in equal bins from low to high; what lies outside falls into the outer bins.
 */
void study_histogram(const double *values, size_t n, double low, double high,
                     double shares[STUDY_HISTOGRAM_BINS]);

/* The 0.5 and 99.5 % points of the property over all usable images of the datasets: bounds of their
 * histograms that one odd image cannot stretch. 0 where there are no values or memory ran out. */
int study_bounds(const study_dataset *datasets, size_t n, study_property property, double *low,
                 double *high);

/* Mean of the spectra of a class; NaN where there are none. */
void study_mean_spectrum(const study_dataset *dataset, meso_label label,
                         double mean[STUDY_SPECTRUM_BINS]);

/* Mean of the thumbnails of a class, 0…255, and how many there were. */
size_t study_mean_thumb(const study_dataset *dataset, meso_label label,
                        double mean[STUDY_THUMB_PIXELS]);

#endif
