/* SPDX-License-Identifier: Apache-2.0
 *
 * What MTCNN does on the host, before, between and behind its nets, by the rules of facenet-pytorch
 * 2.6.0: levels of a pyramid, resizing by area, boxes. Boxes are in pixels of the picture, and
 * float as there, for a floor decides.
 */
#ifndef MESO_FACE_BOXES_H
#define MESO_FACE_BOXES_H

#include <stddef.h>
#include <stdint.h>

typedef struct face_picture {
    const uint8_t *rgb; /* [height][stride] pixels, of which the first `width` of a row count */
    int width, height, stride;
} face_picture;

typedef struct face {
    size_t picture;
    float x1, y1, x2, y2;
    float p;            /* of being a face */
    float regress[4];   /* what the last net says of the box, in sides of it */
    float points[5][2]; /* x, y: eyes (left in the picture first), nose, corners of the mouth */
} face;

typedef struct face_list {
    face *items; /* the caller's, to free() */
    size_t n, room;
} face_list;

/* Appends; 0 where memory ran out. */
int face_add(face_list *list, const face *one);

enum { FACE_CELL = 12, FACE_MAX_LEVELS = 32 };

typedef struct face_level {
    double scale;
    int width, height;
} face_level;

/* The levels at which a face of min_face pixels and more is as large as P-Net's window; returns how
 * many. */
size_t face_levels(int width, int height, double min_face, face_level levels[FACE_MAX_LEVELS]);

/* 40 pixels, but no more than 18 in a picture's short side. */
double face_usual_min(int width, int height);

/* out[h][w][3] = (mean of the pixels that a bin touches − 127.5) / 128; a bin reaches over whole
 * pixels. */
void face_shrink(const face_picture *picture, int w, int h, float *out);

/* The cells of P-Net's output [h][w][6], two logits and four of a box, whose P is at least
 * `threshold`. 0 where memory ran out. */
int face_cells(const float *head, int w, int h, size_t picture, double scale, double threshold,
               face_list *list);

/* P of the second of two logits. */
double face_softmax(const float logits[2]);

typedef enum face_overlap {
    FACE_OF_UNION,  /* intersection / union */
    FACE_OF_SMALLER /* intersection / the smaller, sides counted with + 1 */
} face_overlap;

double face_share(const face *a, const face *b, face_overlap overlap);

/* Items from `begin` on, of each picture the likeliest first, without those that overlap a likelier
 * one by more than `most`. 0 where memory ran out. */
int face_suppress(face_list *list, size_t begin, face_overlap overlap, double most);

/* Moves the edges by `regress`, in sides of the box + plus; then the longer side for both. */
void face_regress(face *one, float plus);
void face_square(face *one);

/* The part of the picture in the box, without copying; 0: there is none. */
int face_cut(const face_picture *picture, const face *one, face_picture *part);

#endif
