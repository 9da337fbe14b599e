/* SPDX-License-Identifier: Apache-2.0
 *
 * What is drawn, and the affine map it makes. A point of the result, counted from the centre, times
 * rotation · shift · shear · zoom is a point of the picture, counted from the centre.
 */
#include "data/batch/augment_draw.h"

#include <math.h>
#include <string.h>

#include "base/random.h"

static const uint64_t stream = 0x6175676d656e74; /* "augment": apart from other uses of the seed */
static const double degree = 3.14159265358979323846 / 180;

static double within(meso_random *random, double range)
{
    return meso_random_uniform(random, -range, range);
}

/* All is drawn always, in one order, so that a setting changes what it says and nothing else. */
void meso_augment_parameters_draw(const meso_augment_settings *settings, unsigned height,
                                  unsigned width, uint64_t seed, uint64_t epoch, uint64_t image,
                                  meso_augment_parameters *parameters)
{
    const meso_augment_settings *s = settings;
    meso_augment_parameters *p = parameters;
    meso_random random = meso_random_for(seed ^ stream, epoch, image);
    p->rotation_degrees = within(&random, s->rotation_degrees);
    p->row_shift = within(&random, s->height_shift) * (s->height_shift < 1 ? height : 1);
    p->column_shift = within(&random, s->width_shift) * (s->width_shift < 1 ? width : 1);
    p->shear_degrees = within(&random, s->shear_degrees);
    p->row_zoom = meso_random_uniform(&random, s->zoom_low, s->zoom_high);
    p->column_zoom = meso_random_uniform(&random, s->zoom_low, s->zoom_high);
    if (s->zoom_high == 0)
        p->row_zoom = p->column_zoom = 1;
    p->horizontal_flip = (meso_random_unit(&random) < 0.5) & (s->horizontal_flip != 0);
    p->vertical_flip = (meso_random_unit(&random) < 0.5) & (s->vertical_flip != 0);
    for (int c = 0; c < 3; c++)
        p->channel_shift[c] = within(&random, s->channel_shift);
    if (s->compat != MESO_AUGMENT_KERAS215) /* one for all */
        p->channel_shift[1] = p->channel_shift[2] = p->channel_shift[0];
    p->brightness = meso_random_uniform(&random, s->brightness_low, s->brightness_high);
    if (s->brightness_high == 0)
        p->brightness = 1;
}

static void multiply(double m[2][3], const double by[2][3])
{
    double product[2][3];
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            product[i][j] = m[i][0] * by[0][j] + m[i][1] * by[1][j] + (j == 2 ? m[i][2] : 0);
    memcpy(m, product, sizeof product);
}

/* Keras 2.9 moves the centre to the origin with height and width in this order and exchanges rows
 * and columns afterwards, which matters for pictures that are not square. */
static void make_map(const meso_augment_parameters *p, meso_augment_compat compat, double height,
                     double width, double m[2][3])
{
    const int swapped = compat == MESO_AUGMENT_KERAS29;
    const double half = swapped ? -0.5 : 0.5;
    const double o[2] = {height / 2 + half, width / 2 + half};
    const double c = cos(p->rotation_degrees * degree), s = sin(p->rotation_degrees * degree);
    const double shear = p->shear_degrees * degree;
    const double steps[][2][3] = {{{c, -s, 0}, {s, c, 0}},
                                  {{1, 0, p->row_shift}, {0, 1, p->column_shift}},
                                  {{1, -sin(shear), 0}, {0, cos(shear), 0}},
                                  {{p->row_zoom, 0, 0}, {0, p->column_zoom, 0}},
                                  {{1, 0, -o[0]}, {0, 1, -o[1]}}};
    const double start[2][3] = {{1, 0, o[0]}, {0, 1, o[1]}};
    memcpy(m, start, sizeof start);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        multiply(m, steps[i]);
    if (swapped) {
        const double other[2][3] = {{m[1][1], m[1][0], m[1][2]}, {m[0][1], m[0][0], m[0][2]}};
        memcpy(m, other, sizeof other);
    }
}

/* The same map seen from the flipped result: position i there is size − 1 − i before the flip. */
static void flip(double m[2][3], int axis, double size)
{
    for (int i = 0; i < 2; i++) {
        m[i][2] += m[i][axis] * (size - 1);
        m[i][axis] = -m[i][axis];
    }
}

void meso_augment_draw_of(const meso_augment_parameters *parameters, meso_augment_compat compat,
                          unsigned height, unsigned width, meso_augment_draw *draw)
{
    double m[2][3];
    make_map(parameters, compat, height, width, m);
    if (parameters->vertical_flip)
        flip(m, 0, height);
    if (parameters->horizontal_flip)
        flip(m, 1, width);
    for (int k = 0; k < 3; k++) {
        draw->row_of[k] = (float)m[0][k];
        draw->column_of[k] = (float)m[1][k];
        draw->shift[k] = (float)parameters->channel_shift[k];
    }
    draw->brightness = (float)parameters->brightness;
}

void meso_augment_draw_one(const meso_augment_settings *settings, unsigned height, unsigned width,
                           uint64_t seed, uint64_t epoch, uint64_t image, meso_augment_draw *draw)
{
    meso_augment_parameters parameters;
    meso_augment_parameters_draw(settings, height, width, seed, epoch, image, &parameters);
    meso_augment_draw_of(&parameters, settings->compat, height, width, draw);
}
