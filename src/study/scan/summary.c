/* SPDX-License-Identifier: Apache-2.0 */
#include "study/scan/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

size_t study_values(const study_dataset *dataset, meso_label label, study_property property,
                    double *values)
{
    size_t n = 0;
    for (size_t i = 0; i < dataset->files.n_items; i++) {
        double value = dataset->images[i].property[property];
        if (study_usable(dataset, i) && dataset->files.items[i].label == label && !isnan(value))
            values[n++] = value;
    }
    return n;
}

study_moments study_moments_of(const double *values, size_t n)
{
    double sum = 0, squares = 0;
    if (n == 0)
        return (study_moments){0, NAN, NAN};
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    double mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return (study_moments){n, mean, sqrt(squares / (double)n)};
}

/* The largest distance between two step functions; both arrays are sorted. */
static double largest_distance(const double *a, size_t n_a, const double *b, size_t n_b)
{
    double largest = 0;
    for (size_t i = 0, k = 0; i < n_a && k < n_b;) {
        double at = a[i] < b[k] ? a[i] : b[k];
        while (i < n_a && a[i] <= at)
            i++;
        while (k < n_b && b[k] <= at)
            k++;
        double distance = fabs((double)i / (double)n_a - (double)k / (double)n_b);
        largest = distance > largest ? distance : largest;
    }
    return largest;
}

study_effect study_effect_of(double *a, size_t n_a, double *b, size_t n_b)
{
    if (n_a < 2 || n_b < 2)
        return (study_effect){NAN, NAN};
    study_moments of_a = study_moments_of(a, n_a), of_b = study_moments_of(b, n_b);
    double squares = (double)n_a * of_a.std * of_a.std + (double)n_b * of_b.std * of_b.std;
    double pooled = sqrt(squares / (double)(n_a + n_b - 2));
    meso_sort(a, n_a);
    meso_sort(b, n_b);
    return (study_effect){pooled > 0 ? (of_a.mean - of_b.mean) / pooled : NAN,
                          largest_distance(a, n_a, b, n_b)};
}

void study_histogram(const double *values, size_t n, double low, double high,
                     double shares[STUDY_HISTOGRAM_BINS])
{
    memset(shares, 0, STUDY_HISTOGRAM_BINS * sizeof *shares);
    for (size_t i = 0; i < n; i++) {
        double at = high > low ? (values[i] - low) / (high - low) * STUDY_HISTOGRAM_BINS : 0;
        int bin = at <= 0 ? 0 : at >= STUDY_HISTOGRAM_BINS ? STUDY_HISTOGRAM_BINS - 1 : (int)at;
        shares[bin] += 1 / (double)n;
    }
}

int study_bounds(const study_dataset *datasets, size_t n, study_property property, double *low,
                 double *high)
{
    size_t n_values = 0, room = 1;
    for (size_t d = 0; d < n; d++)
        room += datasets[d].files.n_items;
    double *values = malloc(room * sizeof *values);
    for (size_t d = 0; values && d < n; d++)
        for (int label = 0; label < 2; label++)
            n_values += study_values(&datasets[d], (meso_label)label, property, values + n_values);
    if (n_values > 0) {
        size_t tail = n_values / 200;
        meso_sort(values, n_values);
        *low = values[tail];
        *high = values[n_values - 1 - tail];
    }
    free(values);
    return n_values > 0;
}

size_t study_mean_thumb(const study_dataset *dataset, meso_label label,
                        double mean[STUDY_THUMB_PIXELS])
{
    size_t n = 0;
    memset(mean, 0, STUDY_THUMB_PIXELS * sizeof *mean);
    for (size_t i = 0; i < dataset->files.n_items; i++) {
        if (!study_usable(dataset, i) || dataset->files.items[i].label != label)
            continue;
        n++;
        for (int k = 0; k < STUDY_THUMB_PIXELS; k++)
            mean[k] += dataset->images[i].thumb[k];
    }
    for (int k = 0; n > 0 && k < STUDY_THUMB_PIXELS; k++)
        mean[k] /= (double)n;
    return n;
}

void study_mean_spectrum(const study_dataset *dataset, meso_label label,
                         double mean[STUDY_SPECTRUM_BINS])
{
    for (int k = 0; k < STUDY_SPECTRUM_BINS; k++) {
        double sum = 0, n = 0;
        for (size_t i = 0; i < dataset->files.n_items; i++) {
            float value = dataset->images[i].spectrum[k];
            if (!study_usable(dataset, i) || dataset->files.items[i].label != label || isnan(value))
                continue;
            sum += value;
            n++;
        }
        mean[k] = sum / n; /* 0/0: NaN */
    }
}

/* Values of a class, malloc'ed; NULL where memory ran out. */
static double *values_of(const study_dataset *dataset, int label, study_property property,
                         size_t *n)
{
    double *values = malloc((dataset->files.n_class[label] + 1) * sizeof *values);
    *n = values ? study_values(dataset, (meso_label)label, property, values) : 0;
    return values;
}

study_effect study_effect_between(const study_dataset *a, int label_a, const study_dataset *b,
                                  int label_b, study_property property)
{
    size_t n_a, n_b;
    double *of_a = values_of(a, label_a, property, &n_a);
    double *of_b = values_of(b, label_b, property, &n_b);
    study_effect effect = study_effect_of(of_a, n_a, of_b, n_b);
    free(of_a);
    free(of_b);
    return effect;
}
