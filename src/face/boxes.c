/* SPDX-License-Identifier: Apache-2.0 */
#include "face/boxes.h"

#include <math.h>
#include <stdlib.h>

int face_add(face_list *list, const face *one)
{
    if (list->n == list->room) {
        const size_t room = 2 * list->room + 64;
        face *items = realloc(list->items, room * sizeof *items);
        if (!items)
            return 0;
        list->items = items;
        list->room = room;
    }
    list->items[list->n++] = *one;
    return 1;
}

double face_usual_min(int width, int height)
{
    return fmax(40, (width < height ? width : height) / 18.0);
}

size_t face_levels(int width, int height, double min_face, face_level levels[FACE_MAX_LEVELS])
{
    const double factor = 0.709;
    double scale = FACE_CELL / min_face, side = (width < height ? width : height) * scale;
    size_t n = 0;
    for (; side >= FACE_CELL && n < FACE_MAX_LEVELS; side *= factor, scale *= factor)
        levels[n++] = (face_level){scale, (int)(width * scale + 1), (int)(height * scale + 1)};
    return n;
}

/* The sums of a bin's pixels, which are exact, and their number. */
static uint32_t add_up(const face_picture *p, const int x[2], const int y[2], uint64_t sum[3])
{
    sum[0] = sum[1] = sum[2] = 0;
    for (int i = y[0]; i < y[1]; i++) {
        const uint8_t *row = p->rgb + 3 * (size_t)i * (size_t)p->stride;
        for (int j = 3 * x[0]; j < 3 * x[1]; j += 3)
            for (int c = 0; c < 3; c++)
                sum[c] += row[j + c];
    }
    return (uint32_t)(x[1] - x[0]) * (uint32_t)(y[1] - y[0]);
}

/* Where bin i of n begins and ends among `side` pixels. */
static void bin(int i, int n, int side, int ends[2])
{
    ends[0] = (int)((int64_t)i * side / n);
    ends[1] = (int)(((int64_t)(i + 1) * side + n - 1) / n);
}

void face_shrink(const face_picture *picture, int w, int h, float *out)
{
    int x[2], y[2];
    uint64_t sum[3];
    for (int i = 0; i < h; i++) {
        bin(i, h, picture->height, y);
        for (int j = 0; j < w; j++, out += 3) {
            bin(j, w, picture->width, x);
            const double n = add_up(picture, x, y, sum);
            for (int c = 0; c < 3; c++)
                out[c] = ((float)((double)sum[c] / n) - 127.5f) * 0.0078125f;
        }
    }
}

double face_softmax(const float logits[2])
{
    return 1 / (1 + exp((double)logits[0] - logits[1]));
}

int face_cells(const float *head, int w, int h, size_t picture, double scale, double threshold,
               face_list *list)
{
    const float s = (float)scale;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++, head += 6) {
            const double p = face_softmax(head);
            const float left = (float)(2 * x), top = (float)(2 * y);
            const face one = {.picture = picture,
                              .x1 = floorf((left + 1) / s),
                              .y1 = floorf((top + 1) / s),
                              .x2 = floorf((left + FACE_CELL) / s),
                              .y2 = floorf((top + FACE_CELL) / s),
                              .p = (float)p,
                              .regress = {head[2], head[3], head[4], head[5]}};
            if (p >= threshold && !face_add(list, &one))
                return 0;
        }
    return 1;
}

double face_share(const face *a, const face *b, face_overlap overlap)
{
    const double plus = overlap == FACE_OF_SMALLER;
    const double w = fmin(a->x2, b->x2) - fmax(a->x1, b->x1) + plus;
    const double h = fmin(a->y2, b->y2) - fmax(a->y1, b->y1) + plus;
    const double common = fmax(w, 0) * fmax(h, 0);
    const double of_a = (a->x2 - a->x1 + plus) * (a->y2 - a->y1 + plus);
    const double of_b = (b->x2 - b->x1 + plus) * (b->y2 - b->y1 + plus);
    return common / (overlap == FACE_OF_SMALLER ? fmin(of_a, of_b) : of_a + of_b - common);
}

/* By picture, the likeliest first; equal ones stay in order. */
static int compare(const void *left, const void *right)
{
    const face *a = *(const face *const *)left, *b = *(const face *const *)right;
    if (a->picture != b->picture)
        return a->picture < b->picture ? -1 : 1;
    if (a->p != b->p)
        return a->p > b->p ? -1 : 1;
    return a < b ? -1 : a > b;
}

int face_suppress(face_list *list, size_t begin, face_overlap overlap, double most)
{
    const size_t n = list->n - begin;
    face *kept = malloc((n + 1) * sizeof *kept);
    const face **order = malloc((n + 1) * sizeof *order);
    const int ok = kept && order;
    size_t n_kept = 0;
    for (size_t i = 0; ok && i < n; i++)
        order[i] = &list->items[begin + i];
    if (ok)
        qsort(order, n, sizeof *order, compare);
    for (size_t i = 0; ok && i < n; i++) {
        size_t k = n_kept;
        while (k > 0 && kept[k - 1].picture == order[i]->picture &&
               !(face_share(&kept[k - 1], order[i], overlap) > most))
            k--;
        if (k == 0 || kept[k - 1].picture != order[i]->picture)
            kept[n_kept++] = *order[i];
    }
    for (size_t i = 0; ok && i < n_kept; i++)
        list->items[begin + i] = kept[i];
    list->n = ok ? begin + n_kept : list->n;
    free(kept);
    free(order);
    return ok;
}

void face_regress(face *one, float plus)
{
    const float w = one->x2 - one->x1 + plus, h = one->y2 - one->y1 + plus;
    one->x1 += one->regress[0] * w;
    one->y1 += one->regress[1] * h;
    one->x2 += one->regress[2] * w;
    one->y2 += one->regress[3] * h;
}

void face_square(face *one)
{
    const float w = one->x2 - one->x1, h = one->y2 - one->y1, side = w > h ? w : h;
    one->x1 += w * 0.5f - side * 0.5f;
    one->y1 += h * 0.5f - side * 0.5f;
    one->x2 = one->x1 + side;
    one->y2 = one->y1 + side;
}

/* Pixels begin … end of `side`, which a box from x1 to x2 holds, counted from 1. */
static int span(float x1, float x2, int side, int *begin, int *end)
{
    *begin = x1 >= 2 ? (int)fminf(x1, (float)side + 1) - 1 : 0;
    *end = x2 <= 0 ? 0 : (int)fminf(x2, (float)side);
    return *begin < *end;
}

int face_cut(const face_picture *picture, const face *one, face_picture *part)
{
    int left, right, top, bottom;
    if (!span(one->x1, one->x2, picture->width, &left, &right) ||
        !span(one->y1, one->y2, picture->height, &top, &bottom))
        return 0;
    *part =
        (face_picture){picture->rgb + 3 * ((size_t)top * (size_t)picture->stride + (size_t)left),
                       right - left, bottom - top, picture->stride};
    return 1;
}
