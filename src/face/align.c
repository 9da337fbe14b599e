/* SPDX-License-Identifier: Apache-2.0 */
#include "face/align.h"

#include <math.h>

static const double least_side = 24, least_turn = 15, far = 1e6;
static const double degrees = 180 / 3.14159265358979323846;
enum { most_samples = 64 };

int face_align(const float points[5][2], const face_alignment *how, face_square_map *map)
{
    double x[5], y[5];
    for (int i = 0; i < 5; i++) {
        x[i] = points[i][0] * how->pixel_aspect;
        y[i] = points[i][1];
    }
    const double eyes[2] = {(x[0] + x[1]) / 2, (y[0] + y[1]) / 2};
    const double down[2] = {(x[3] + x[4]) / 2 - eyes[0], (y[3] + y[4]) / 2 - eyes[1]};
    const double apart = hypot(x[1] - x[0], y[1] - y[0]), height = hypot(down[0], down[1]);
    const double side = 2.2 * how->margin * (apart > height ? apart : height);
    const double angle = atan2(y[1] - y[0], x[1] - x[0]) * degrees;
    const int turn = how->rotate == FACE_ROTATE_ALWAYS ||
                     (how->rotate == FACE_ROTATE_AUTO && fabs(angle) > least_turn);
    const double c = turn ? side * cos(angle / degrees) : side;
    const double s = turn ? side * sin(angle / degrees) : 0;
    *map = (face_square_map){.x = {(eyes[0] + 0.45 * down[0]) / how->pixel_aspect,
                                   c / how->pixel_aspect, -s / how->pixel_aspect},
                             .y = {eyes[1] + 0.45 * down[1], s, c},
                             .side = side,
                             .angle = angle};
    int sane = side >= least_side;
    for (int i = 0; i < 3; i++)
        sane = sane && fabs(map->x[i]) < far && fabs(map->y[i]) < far;
    return sane;
}

/* The pixel at or before a place among n that go on mirrored, and the next one; returns how far
 * the place is from the first to the second. */
static double neighbours(double place, int n, int at[2])
{
    const double before = floor(place), period = n > 1 ? 2.0 * (n - 1) : 1;
    for (int i = 0; i < 2; i++) {
        double k = before + i;
        if (!(k >= 0 && k < n)) {
            k = fabs(fmod(k, period));
            k = k < n ? k : period - k;
        }
        at[i] = (int)k;
    }
    return place - before;
}

static void add_sample(const face_picture *picture, double x, double y, double sum[3])
{
    int column[2], row[2];
    const double right = neighbours(x, picture->width, column);
    const double lower = neighbours(y, picture->height, row);
    const uint8_t *upper_row = picture->rgb + 3 * (size_t)row[0] * (size_t)picture->stride;
    const uint8_t *lower_row = picture->rgb + 3 * (size_t)row[1] * (size_t)picture->stride;
    for (int c = 0; c < 3; c++) {
        const int a = 3 * column[0] + c, b = 3 * column[1] + c;
        const double upper = upper_row[a] + right * (upper_row[b] - upper_row[a]);
        sum[c] += upper + lower * (lower_row[a] + right * (lower_row[b] - lower_row[a]) - upper);
    }
}

void face_crop(const face_picture *picture, const face_square_map *map, int size, uint8_t *out)
{
    const int k = (int)fmin(ceil(map->side / size), most_samples), all = k * size;
    for (int i = 0; i < size; i++)
        for (int j = 0; j < size; j++, out += 3) {
            double sum[3] = {0};
            for (int s = 0; s < k * k; s++) {
                const double u = (j * k + s % k + 0.5) / all - 0.5;
                const double v = (i * k + s / k + 0.5) / all - 0.5;
                add_sample(picture, map->x[0] + map->x[1] * u + map->x[2] * v,
                           map->y[0] + map->y[1] * u + map->y[2] * v, sum);
            }
            for (int c = 0; c < 3; c++)
                out[c] = (uint8_t)rint(sum[c] / (k * k));
        }
}
