/* SPDX-License-Identifier: Apache-2.0 */
#include "reference_augment.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t values_of(const reference_picture *p)
{
    return (size_t)p->height * p->width * 3;
}

reference_picture reference_picture_of(const uint8_t *pixels, unsigned height, unsigned width)
{
    reference_picture p = {height, width, NULL, NULL};
    p.low = malloc(values_of(&p) * sizeof *p.low);
    p.high = malloc(values_of(&p) * sizeof *p.high);
    for (size_t i = 0; i < values_of(&p); i++)
        p.low[i] = p.high[i] = pixels[i];
    return p;
}

void reference_picture_free(reference_picture *picture)
{
    free(picture->low);
    free(picture->high);
}

/* c = a · b, 3 × 3. */
static void dot(double c[3][3], const double b[3][3])
{
    double a[3][3];
    memcpy(a, c, sizeof a);
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            c[i][j] = 0;
            for (int k = 0; k < 3; k++)
                c[i][j] += a[i][k] * b[k][j];
        }
}

static void exchange(double *a, double *b)
{
    double other = *a;
    *a = *b;
    *b = other;
}

/* offset · rotation · shift · shear · zoom · −offset, then the era's exchange of columns and rows.
 */
static void make_matrix(const meso_augment_parameters *p, meso_augment_compat compat,
                        unsigned height, unsigned width, double m[3][3])
{
    const int is_new = compat == MESO_AUGMENT_KERAS29;
    const double x = height / 2.0 + (is_new ? -0.5 : 0.5), y = width / 2.0 + (is_new ? -0.5 : 0.5);
    const double t = p->rotation_degrees * acos(-1) / 180, s = p->shear_degrees * acos(-1) / 180;
    const double start[3][3] = {{1, 0, x}, {0, 1, y}, {0, 0, 1}};
    const double rotation[3][3] = {{cos(t), -sin(t), 0}, {sin(t), cos(t), 0}, {0, 0, 1}};
    const double shift[3][3] = {{1, 0, p->row_shift}, {0, 1, p->column_shift}, {0, 0, 1}};
    const double shear[3][3] = {{1, -sin(s), 0}, {0, cos(s), 0}, {0, 0, 1}};
    const double zoom[3][3] = {{p->row_zoom, 0, 0}, {0, p->column_zoom, 0}, {0, 0, 1}};
    const double back[3][3] = {{1, 0, -x}, {0, 1, -y}, {0, 0, 1}};
    memcpy(m, start, sizeof start);
    dot(m, rotation);
    dot(m, shift);
    dot(m, shear);
    dot(m, zoom);
    dot(m, back);
    for (int i = 0; is_new && i < 3; i++)
        exchange(&m[i][0], &m[i][1]);
    for (int j = 0; is_new && j < 3; j++)
        exchange(&m[0][j], &m[1][j]);
}

static double clamp(double v, double low, double high)
{
    return v < low ? low : v > high ? high : v;
}

static double pixel(const reference_picture *p, int row, int column, int c)
{
    row = (int)clamp(row, 0, p->height - 1.0);
    column = (int)clamp(column, 0, p->width - 1.0);
    return p->low[((size_t)row * p->width + (size_t)column) * 3 + (size_t)c];
}

/* Bilinear at (r, c), edges repeated, and how far it goes within a coordinate's error `e`: the
 * greatest step between pixels around, times e. */
static double sample(const reference_picture *p, double r, double c, int channel, double e,
                     double *off)
{
    r = clamp(r, 0, p->height - 1.0);
    c = clamp(c, 0, p->width - 1.0);
    const int i = (int)floor(r), j = (int)floor(c);
    const double u = r - i, v = c - j;
    double least = 255, greatest = 0;
    for (int a = -1; a <= 2; a++)
        for (int b = -1; b <= 2; b++) {
            least = fmin(least, pixel(p, i + a, j + b, channel));
            greatest = fmax(greatest, pixel(p, i + a, j + b, channel));
        }
    *off = 2 * e * (greatest - least) + 4 * FLT_EPSILON * greatest;
    return (1 - u) * ((1 - v) * pixel(p, i, j, channel) + v * pixel(p, i, j + 1, channel)) +
           u * ((1 - v) * pixel(p, i + 1, j, channel) + v * pixel(p, i + 1, j + 1, channel));
}

static int is_identity(const double m[3][3])
{
    return m[0][0] == 1 && m[0][1] == 0 && m[0][2] == 0 && m[1][0] == 0 && m[1][1] == 1 &&
           m[1][2] == 0;
}

/* Coordinates are sums of three products: within 4 · eps · (|m|·row + |m|·column + |offset|). */
static void affine(const double m[3][3], reference_picture *p)
{
    reference_picture out = {p->height, p->width, NULL, NULL};
    out.low = malloc(values_of(p) * sizeof *out.low);
    out.high = malloc(values_of(p) * sizeof *out.high);
    for (size_t i = 0; i < values_of(p); i++) {
        const double row = (double)(i / 3 / p->width), column = (double)(i / 3 % p->width);
        double e = 0, off;
        for (int k = 0; k < 2; k++)
            e = fmax(e, fabs(m[k][0]) * (row + p->height) + fabs(m[k][1]) * (column + p->width) +
                            fabs(m[k][2]));
        const double value = sample(p, m[0][0] * row + m[0][1] * column + m[0][2],
                                    m[1][0] * row + m[1][1] * column + m[1][2], (int)(i % 3),
                                    4 * FLT_EPSILON * e, &off);
        out.low[i] = value - off;
        out.high[i] = value + off;
    }
    reference_picture_free(p);
    *p = out;
}

/* Of lower or upper ends. */
static void find_range(const double *ends, size_t n, double *least, double *greatest)
{
    *least = *greatest = ends[0];
    for (size_t i = 1; i < n; i++) {
        *least = fmin(*least, ends[i]);
        *greatest = fmax(*greatest, ends[i]);
    }
}

static void shift_channels(const double shift[3], reference_picture *p)
{
    double *const ends[2] = {p->low, p->high};
    for (int k = 0; k < 2; k++) {
        double least, greatest;
        find_range(ends[k], values_of(p), &least, &greatest);
        for (size_t i = 0; i < values_of(p); i++)
            ends[k][i] = clamp((float)ends[k][i] + (float)shift[i % 3], least, greatest);
    }
}

static void flip(reference_picture *p, int vertical)
{
    for (size_t row = 0; row < p->height; row++)
        for (size_t column = 0; column < p->width; column++) {
            const size_t r = vertical ? p->height - 1 - row : row;
            const size_t c = vertical ? column : p->width - 1 - column;
            if (r * p->width + c <= row * p->width + column)
                continue;
            for (size_t k = 0; k < 3; k++) {
                exchange(&p->low[(row * p->width + column) * 3 + k],
                         &p->low[(r * p->width + c) * 3 + k]);
                exchange(&p->high[(row * p->width + column) * 3 + k],
                         &p->high[(r * p->width + c) * 3 + k]);
            }
        }
}

/* array_to_img's scaling, in float32 as there. Ends that are no exact numbers move by what a
 * quotient of them may be off. */
static void stretch(reference_picture *p, int from_least)
{
    double least, greatest, other, off = 0;
    find_range(p->low, values_of(p), &least, &other);
    find_range(p->high, values_of(p), &other, &greatest);
    for (size_t i = 0; i < values_of(p); i++)
        off = fmax(off, p->high[i] - p->low[i]);
    const float from = from_least ? (float)least : 0, width = (float)greatest - from;
    for (size_t i = 0; i < values_of(p); i++) {
        double *ends[2] = {&p->low[i], &p->high[i]};
        for (int k = 0; k < 2; k++) {
            float v = (float)*ends[k] - from;
            v = width != 0 ? v / width * 255.0f : v;
            *ends[k] = v + (k ? 1 : -1) * (width > 0 ? 510 * off / width : 0);
        }
    }
}

/* Pillow: to 8 bits, times the factor in float32, to 8 bits. */
static double brighten(double v, float factor)
{
    float product = (float)trunc(clamp(v, 0, 255)) * factor;
    return product >= 255 ? 255 : (double)truncf(product);
}

void reference_augment(const meso_augment_settings *settings,
                       const meso_augment_parameters *parameters, reference_picture *picture)
{
    reference_picture *p = picture;
    double m[3][3];
    make_matrix(parameters, settings->compat, p->height, p->width, m);
    const int moves = parameters->rotation_degrees != 0 || parameters->row_shift != 0 ||
                      parameters->column_shift != 0 || parameters->shear_degrees != 0 ||
                      parameters->row_zoom != 1 || parameters->column_zoom != 1;
    if (moves && !is_identity(m))
        affine(m, p);
    if (settings->channel_shift != 0)
        shift_channels(parameters->channel_shift, p);
    if (parameters->horizontal_flip)
        flip(p, 0);
    if (parameters->vertical_flip)
        flip(p, 1);
    if (settings->brightness_high == 0)
        return;
    if (settings->compat != MESO_AUGMENT_KERAS29)
        stretch(p, settings->compat == MESO_AUGMENT_KP112);
    for (size_t i = 0; i < values_of(p); i++) {
        p->low[i] = brighten(p->low[i], (float)parameters->brightness);
        p->high[i] = brighten(p->high[i], (float)parameters->brightness);
    }
}

/* Mean and deviation of the intervals' middles. */
static void moments(const reference_picture *p, double *mean, double *deviation)
{
    const double n = (double)values_of(p);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < values_of(p); i++)
        sum += (p->low[i] + p->high[i]) / 2;
    *mean = sum / n;
    for (size_t i = 0; i < values_of(p); i++)
        squares += pow((p->low[i] + p->high[i]) / 2 - *mean, 2);
    *deviation = sqrt(squares / n);
}

static void affine_values(reference_picture *p, const double subtract[3], const double divide[3])
{
    for (size_t i = 0; i < values_of(p); i++) {
        p->low[i] = (p->low[i] - subtract[i % 3]) / divide[i % 3];
        p->high[i] = (p->high[i] - subtract[i % 3]) / divide[i % 3];
    }
}

void reference_standardize(const meso_augment_settings *settings, double divide,
                           reference_picture *picture, double *slack)
{
    const double zero[3] = {0, 0, 0};
    double mean, deviation, widest = 0;
    affine_values(picture, zero, (const double[3]){divide, divide, divide});
    for (size_t i = 0; i < values_of(picture); i++)
        widest = fmax(widest, picture->high[i] - picture->low[i]);
    moments(picture, &mean, &deviation);
    *slack = 4 * FLT_EPSILON;
    if (settings->samplewise_center || settings->samplewise_std) {
        const double m = settings->samplewise_center ? mean : 0;
        const double d = settings->samplewise_std ? deviation + 1e-6 : 1;
        affine_values(picture, (const double[3]){m, m, m}, (const double[3]){d, d, d});
        /* both sums: 128 additions one after the other at most, of values up to 1 */
        *slack = (128 * FLT_EPSILON + 4 * widest) / d * (1 + (1 / d) * (settings->samplewise_std));
    }
    double subtract[3], by[3], least = 1;
    for (int c = 0; c < 3; c++) {
        subtract[c] = settings->featurewise_center ? settings->mean[c] : 0;
        by[c] = settings->featurewise_std ? settings->std[c] + 1e-6 : 1;
        least = fmin(least, by[c]);
    }
    affine_values(picture, subtract, by);
    *slack /= least;
}
